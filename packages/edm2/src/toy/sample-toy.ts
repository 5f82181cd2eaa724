import { Generator } from '@evenkeel/tensor';
import { guided } from '../sample/guidance.ts';
import { type HeunOptions, sampleHeun } from '../sample/heun.ts';
import type { ToyModel } from './toy-model.ts';

/** Options of {@link sampleToy}. */
export interface SampleToyOptions extends Omit<HeunOptions, 'sigmaMin' | 'sigmaMax' | 'rho'> {
  /** How many points. @defaultValue 4096 */
  readonly count?: number;
  /** Fixes the noise that points start as. @defaultValue 0 */
  readonly seed?: number;
  /** A worse network, to move away from. */
  readonly guide?: ToyModel;
  /** How far; 1 is not at all. @defaultValue 1 */
  readonly guidance?: number;
}

/**
 * Points from noise, x and y of each in turn: Heun's method from noise level 5 to 0.002, in 32 steps unless told.
 *
 * Source: arXiv 2406.02507, appendix C.
 *
 * @throws when guidance is asked for without a guide.
 * @example
 * ```ts
 * const net = new ToyModel({ layers: 2, dim: 16 });
 * const points = await sampleToy(net, { count: 100, steps: 8 });
 * points.length; // 200
 * ```
 */
export async function sampleToy(net: ToyModel, options: SampleToyOptions = {}): Promise<Float32Array> {
  const { count = 4096, seed = 0, guide, guidance = 1, ...rest } = options;
  if (guidance !== 1 && guide === undefined) {
    throw new Error(`sampleToy: guidance ${guidance} needs a guide. Give one, or leave guidance at 1`);
  }
  const main = net.denoise.bind(net);
  const denoise = guide === undefined ? main : guided(main, guide.denoise.bind(guide), guidance);
  const noise = new Generator(seed).normal([count, 2]);
  const points = await sampleHeun(denoise, noise, { ...rest, sigmaMin: 0.002, sigmaMax: 5 });
  return (await points.data()) as Float32Array;
}
