import type { Tensor } from '@evenkeel/tensor';

/** A denoiser at one noise level for the whole batch: `x` `[N, C, R, R]` gives the same shape. */
export type Denoiser = (x: Tensor, sigma: number) => Tensor;

/**
 * D = guide + weight (main - guide): above 1 it moves away from what the guide does worse. An unconditional guide gives
 * classifier-free guidance, a smaller or less trained one autoguidance. At weight 1 the guide is never asked.
 *
 * Source: arXiv 2406.02507, equation 3.
 *
 * @example
 * ```ts
 * const clean: Denoiser = (x) => x.mul(0.5); // in place of net.denoise(x, sigma, labels)
 * const worse: Denoiser = (x) => x.mul(0.4);
 * guided(clean, worse, 2)(tensor([1]), 0.5); // [0.6]
 * ```
 */
export function guided(main: Denoiser, guide: Denoiser, weight: number): Denoiser {
  if (weight === 1) return main;
  return (x, sigma) => {
    const reference = guide(x, sigma);
    return reference.add(main(x, sigma).sub(reference).mul(weight));
  };
}
