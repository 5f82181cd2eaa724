import type { DType, Tensor } from '@evenkeel/tensor';
import { normalize } from './normalize.ts';

/** Options of {@link pixelNorm}. */
export interface PixelNormOptions {
  /** The channel axis. @defaultValue 1 */
  readonly axis?: number;
  /** Added to the RMS. @defaultValue 1e-4 */
  readonly eps?: number;
}

/**
 * Normalizes the channel vector of each pixel: `y[n, :, h, w] = x[n, :, h, w] / (eps + rms(x[n, :, h, w]))`.
 *
 * `x` is `[N, C, ...spatial]`, any rank from 2.
 *
 * Source: arXiv 2312.02696, section 2.4 and appendix B.6 (the encoder's main path), equation 30.
 *
 * @example
 * ```ts
 * const x = pixelNorm(new Generator(1).normal([4, 32, 8, 8], { std: 3 }));
 * await x.square().mean().sqrt().item(); // 0.99997, as for each pixel's 32 values
 * ```
 */
export function pixelNorm<D extends DType>(x: Tensor<D>, options: PixelNormOptions = {}): Tensor<D> {
  const { axis = 1, eps = 1e-4 } = options;
  return normalize(x, { axes: axis, eps });
}
