import { commit, State, type Tensor, tensor } from '@evenkeel/tensor';
import { addChurn, type Churn } from './churn.ts';
import type { Denoiser, SamplerStep } from './guidance.ts';
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
  return walkLevels(noise, options, (state) => async (x, { step, sigma, next }) => {
    state.assign(heunStep((y, level) => denoise(y, level, step), x, sigma, next));
  });
}

/** One step of a sampler. */
export interface Move {
  readonly step: SamplerStep;
  /** Where it starts, after churn. */
  readonly sigma: number;
  /** Where it ends; 0 for the last one. */
  readonly next: number;
}

/** Assigns the state what a step makes of `x`: the state's value, or that with churn. */
export type Mover = (x: Tensor, move: Move) => Promise<void>;

/** Moves noise through all levels to 0, in a cell. */
export async function walkLevels(
  noise: Tensor,
  options: HeunOptions,
  moverOf: (state: State) => Mover,
): Promise<Tensor> {
  const dtype = noise.dtype === 'float64' ? 'float64' : 'float32';
  const levels = noiseLevels({ ...options, dtype });
  const steps = levels.length - 1;
  using state = new State(noise.cast(dtype).mul(levels[0]!), { path: 'sampleHeun.x' });
  await commit();
  const move = moverOf(state);
  for (let index = 0; index < steps; index++) {
    const [current, next] = [levels[index]!, levels[index + 1]!];
    const { x, sigma } = addChurn(state.value, current, steps, options.churn);
    await move(x, { step: { index, sigma: current }, sigma, next });
    await options.onStep?.({ step: index + 1, steps, sigma: next, x: state.value });
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
  return heunMove(denoise, x, levelsOf(sigma, next), next === 0);
}

/** The numbers of a step. */
export interface StepLevels<Level> {
  readonly sigma: Level;
  readonly next: Level;
  /** `next - sigma`, and half of it. */
  readonly change: Level;
  readonly half: Level;
}

export function levelsOf(sigma: number, next: number): StepLevels<number> {
  return { sigma, next, change: next - sigma, half: (next - sigma) / 2 };
}

/** {@link heunStep}, of numbers or of scalars. */
export function heunMove<Level extends number | Tensor>(
  denoise: Denoiser<Level>,
  x: Tensor,
  { sigma, next, change, half }: StepLevels<Level>,
  isLast: boolean,
): Tensor {
  const slope = x.sub(denoise(x, sigma)).div(sigma);
  const euler = x.add(slope.mul(change));
  if (isLast) return euler;
  const nextSlope = euler.sub(denoise(euler, next)).div(next);
  return x.add(slope.add(nextSlope).mul(half));
}
