import { commit, State, type Tensor, tensor } from '@evenkeel/tensor';
import { addChurn, type Churn } from './churn.ts';
import type { Denoiser } from './guidance.ts';
import { type NoiseLevelOptions, noiseLevels } from './noise-levels.ts';

/** Where a sampler stands after a step. */
export interface SampleProgress {
  /** Steps done. */
  readonly step: number;
  readonly steps: number;
  /** Noise level of `x`. */
  readonly sigma: number;
  /** The batch, `[N, C, R, R]`. To be read, if at all, before the callback is over. */
  readonly x: Tensor;
}

/** Options of {@link sampleHeun}. */
export interface HeunOptions extends Omit<NoiseLevelOptions, 'dtype'> {
  /** Stochastic sampling. @defaultValue none: the noise alone determines the result */
  readonly churn?: Churn;
  /** Called after each step, and waited for; throw in it to stop. */
  readonly onStep?: (progress: SampleProgress) => void | Promise<void>;
}

/**
 * EDM's sampler: Heun's second-order steps along the noise levels of {@link noiseLevels}, the last one Euler's. The
 * denoiser is evaluated `2 steps - 1` times. The batch is kept in a cell, so memory is constant in the number of steps.
 *
 * @param noise unit normals, `[N, C, R, R]`; computed in its dtype.
 * @returns images at noise level 0, the shape of `noise`.
 *
 * Source: arXiv 2206.00364, algorithm 1 (2 with churn).
 *
 * @example
 * ```ts
 * // The best denoiser of normal data of standard deviation 0.5; a network's is (x, sigma) => net.denoise(x, sigma, labels).
 * const denoise: Denoiser = (x, sigma) => x.mul(0.25 / (0.25 + sigma ** 2));
 * const noise = new Generator(7).normal([16, 3, 16, 16]);
 * const images = await sampleHeun(denoise, noise, { steps: 32 }); // [16, 3, 16, 16]
 * ```
 */
export async function sampleHeun(denoise: Denoiser, noise: Tensor, options: HeunOptions = {}): Promise<Tensor> {
  const dtype = noise.dtype === 'float64' ? 'float64' : 'float32';
  const levels = noiseLevels({ ...options, dtype });
  const steps = levels.length - 1;
  using state = new State(noise.cast(dtype).mul(levels[0]!), { path: 'sampleHeun.x' });
  await commit();
  for (let step = 0; step < steps; step++) {
    const [current, next] = [levels[step]!, levels[step + 1]!];
    const { x, sigma } = addChurn(state.value, current, steps, options.churn);
    state.assign(heunStep(denoise, x, sigma, next));
    await options.onStep?.({ step: step + 1, steps, sigma: next, x: state.value });
    await commit();
  }
  return tensor(await state.value.data(), { shape: noise.shape });
}

/**
 * One step from noise level `sigma` to `next`: Heun's, or Euler's where `next` is 0. Only builds the graph.
 *
 * Source: arXiv 2206.00364, algorithm 1.
 *
 * @example
 * ```ts
 * const denoise: Denoiser = (x, sigma) => x.mul(0.25 / (0.25 + sigma ** 2));
 * const next = heunStep(denoise, tensor([80]), 80, 60); // [60.00095]
 * ```
 */
export function heunStep(denoise: Denoiser, x: Tensor, sigma: number, next: number): Tensor {
  const slope = x.sub(denoise(x, sigma)).div(sigma);
  const euler = x.add(slope.mul(next - sigma));
  if (next === 0) return euler;
  const nextSlope = euler.sub(denoise(euler, next)).div(next);
  return x.add(slope.add(nextSlope).mul((next - sigma) / 2));
}
