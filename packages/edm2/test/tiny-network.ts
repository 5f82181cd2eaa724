import { Generator } from '@evenkeel/tensor';
import { Precond, type PrecondOptions } from '../src/index.ts';

/** The smallest network with every kind of layer: two levels, attention, labels. */
export function tinyNetwork(options: Partial<PrecondOptions> = {}): Precond {
  return new Precond({
    imgResolution: 4,
    imgChannels: 2,
    labelDim: 3,
    modelChannels: 8,
    channelMult: [1, 2],
    numBlocks: 1,
    attnResolutions: [2],
    channelsPerHead: 8,
    logvarChannels: 16,
    generator: new Generator(1),
    ...options,
  });
}
