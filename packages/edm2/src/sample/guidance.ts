import type { Tensor } from '@evenkeel/tensor';

/** Which of a sampler's steps an evaluation belongs to. */
export interface SamplerStep {
  /** From 0 on. */
  readonly index: number;
  /** Noise level at which the step starts, before churn. */
  readonly sigma: number;
}

/**
 * A denoiser at one noise level for the whole batch: `x` `[N, C, R, R]` gives the same shape. Samplers say which step they
 * ask for; both evaluations of a step get the same one. The level is a number, or a scalar where steps are compiled.
 */
export type Denoiser<Level = number> = (x: Tensor, sigma: Level, step?: SamplerStep) => Tensor;

/** Where a sampler is guided: at some steps, both ends included, or from just above a noise level up to another. */
export type GuidanceInterval =
  | { readonly firstStep: number; readonly lastStep: number }
  | { readonly sigmaAbove: number; readonly sigmaMost: number };

/**
 * Whether a step is guided, as a whole: by where it starts.
 *
 * Source: arXiv 2404.07724, equation 5.
 *
 * @example
 * ```ts
 * isGuided({ index: 17, sigma: 1.6 }, { firstStep: 17, lastStep: 22 }); // true
 * isGuided({ index: 17, sigma: 1.6 }, { sigmaAbove: 0.19, sigmaMost: 1.5 }); // false
 * ```
 */
export function isGuided(step: SamplerStep | undefined, interval: GuidanceInterval | undefined): boolean {
  if (step === undefined || interval === undefined) return true;
  if ('firstStep' in interval) return step.index >= interval.firstStep && step.index <= interval.lastStep;
  return step.sigma > interval.sigmaAbove && step.sigma <= interval.sigmaMost;
}

/**
 * D = guide + weight (main - guide): above 1 it moves away from what the guide does worse. An unconditional guide gives
 * classifier-free guidance, a smaller or less trained one autoguidance. At weight 1, and outside of the interval, the guide
 * is never asked.
 *
 * Source: arXiv 2406.02507, equation 3; arXiv 2404.07724 (interval).
 *
 * @example
 * ```ts
 * const clean: Denoiser = (x) => x.mul(0.5); // in place of net.denoise(x, sigma, labels)
 * const worse: Denoiser = (x) => x.mul(0.4);
 * guided(clean, worse, 2)(tensor([1]), 0.5); // [0.6]
 * const late = guided(clean, worse, 2, { sigmaAbove: 0, sigmaMost: 0.2 });
 * late(tensor([1]), 0.5, { index: 3, sigma: 0.5 }); // [0.5]
 * ```
 */
export function guided<Level = number>(
  main: Denoiser<Level>,
  guide: Denoiser<Level>,
  weight: number,
  interval?: GuidanceInterval,
): Denoiser<Level> {
  if (weight === 1) return main;
  return (x, sigma, step) => {
    if (!isGuided(step, interval)) return main(x, sigma, step);
    const reference = guide(x, sigma, step);
    return reference.add(main(x, sigma, step).sub(reference).mul(weight));
  };
}
