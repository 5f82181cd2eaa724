import type { Tensor } from '@evenkeel/tensor';
import type { Precond } from '../network/precondition.ts';
import { compiledHeun } from './compiled-heun.ts';
import { type Denoiser, type GuidanceInterval, guided, isGuided, type SamplerStep } from './guidance.ts';
import { type HeunOptions, walkLevels } from './heun.ts';

/** Options of {@link sample}. */
export interface SampleOptions extends HeunOptions {
  /** `[N, labelDim]`; the guide gets the same. @defaultValue none */
  readonly labels?: Tensor | null;
  /** A worse network, to move away from; an unconditional one ignores the labels. */
  readonly guide?: Precond;
  /** How far: 1 is not at all, below 1 is towards it. @defaultValue 1 */
  readonly guidance?: number;
  /** Where it is guided. @defaultValue everywhere */
  readonly guidanceInterval?: GuidanceInterval;
}

/**
 * Images from noise, by the network in evaluation mode.
 *
 * @param noise unit normals, `[N, C, R, R]`.
 * @returns latents `[N, C, R, R]` on the host; `latentsToPixels` makes RGB pixels of their data.
 * @throws when guidance is asked for without a guide.
 * @example
 * ```ts
 * const options = { imgResolution: 8, imgChannels: 3, labelDim: 10, modelChannels: 8, channelMult: [1], numBlocks: 1 };
 * const labels = oneHot(arange(10), 10);
 * const noise = new Generator(1).normal([10, 3, 8, 8]);
 * const images = await sample(new Precond(options), noise, { labels, steps: 4 }); // [10, 3, 8, 8]
 * const pixels = latentsToPixels(await images.data());
 * ```
 */
export async function sample(net: Precond, noise: Tensor, options: SampleOptions = {}): Promise<Tensor> {
  const { labels = null, guide, guidance = 1, guidanceInterval } = options;
  if (guidance !== 1 && guide === undefined) {
    throw new Error(`sample: guidance ${guidance} needs a guide. Give one, or leave guidance at 1`);
  }
  const networks = guide === undefined ? [net] : [net, guide];
  const modes = networks.map((network) => network.training);
  for (const network of networks) network.eval();
  try {
    const denoiser = (network: Precond): Denoiser<Tensor> => {
      return (x, sigma) => network.denoise(x, sigma, labels);
    };
    const main = denoiser(net);
    const steered = guide === undefined ? main : guided(main, denoiser(guide), guidance);
    const isGuidedStep = (step: SamplerStep) => isGuided(step, guidanceInterval);
    return await walkLevels(
      noise,
      options,
      compiledHeun((isSteered) => (isSteered ? steered : main), isGuidedStep),
    );
  } finally {
    networks.forEach((network, i) => {
      network.train(modes[i]);
    });
  }
}
