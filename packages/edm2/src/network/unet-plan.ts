import { requireSizes } from '@evenkeel/nn';
import type { UNetOptions } from './unet.ts';

/** What a U-Net consists of, without its weights. */
export interface UNetPlan {
  /** Fourier features of the noise level. */
  readonly noiseChannels: number;
  /** Length of the embedding. */
  readonly embChannels: number;
  readonly enc: readonly LayerPlan[];
  readonly dec: readonly LayerPlan[];
}

/** @throws when sizes are not whole numbers of at least 1 or a resolution cannot be halved often enough. */
export function planUNet(options: UNetOptions): UNetPlan {
  const { imgResolution, imgChannels, labelDim, modelChannels = 192, channelMult = [1, 2, 3, 4] } = options;
  requireSizes('UNet', { imgResolution, imgChannels, modelChannels, numBlocks: options.numBlocks ?? 3 });
  if (!Number.isInteger(labelDim) || labelDim < 0) {
    throw new Error(`UNet: labelDim must be a whole number, 0 for an unconditional network, got ${labelDim}`);
  }
  if (channelMult.length === 0)
    throw new Error('UNet: channelMult is empty. Give a factor for each level, such as [1, 2]');
  const halvings = 2 ** (channelMult.length - 1);
  if (imgResolution % halvings !== 0) {
    throw new Error(
      `UNet: ${channelMult.length} levels need a resolution divisible by ${halvings}, got ${imgResolution}. Change channelMult or imgResolution`,
    );
  }
  const widths = channelMult.map((mult) => modelChannels * mult);
  return {
    noiseChannels: options.channelMultNoise ? modelChannels * options.channelMultNoise : (widths[0] as number),
    embChannels: options.channelMultEmb ? modelChannels * options.channelMultEmb : Math.max(...widths),
    ...planLevels(options, widths),
  };
}

/** One layer of a level; without a resample mode it is a plain convolution. */
export interface LayerPlan {
  readonly name: string;
  /** Height and width of its output. */
  readonly resolution: number;
  readonly inChannels: number;
  /** Those of its input that come from a skip connection. */
  readonly skipChannels: number;
  readonly outChannels: number;
  readonly resampleMode?: 'keep' | 'down' | 'up';
  readonly attention?: boolean;
}

/** The layers of encoder and decoder in order, with the channels that flow between them. */
function planLevels(options: UNetOptions, widths: readonly number[]): { enc: LayerPlan[]; dec: LayerPlan[] } {
  const { imgResolution, imgChannels, numBlocks = 3, attnResolutions = [16, 8] } = options;
  const [enc, dec]: [LayerPlan[], LayerPlan[]] = [[], []];
  let channels = imgChannels + 1; // the constant 1
  const add = (list: LayerPlan[], layer: Omit<LayerPlan, 'inChannels' | 'skipChannels'>, skipChannels = 0) => {
    const { resolution, name } = layer;
    list.push({
      ...layer,
      name: `${resolution}x${resolution}_${name}`,
      inChannels: channels + skipChannels,
      skipChannels,
    });
    channels = layer.outChannels;
  };
  const levels = widths.map((width, level) => {
    const resolution = imgResolution >> level;
    return { width, level, resolution, attention: attnResolutions.includes(resolution) };
  });
  for (const { width, level, resolution, attention } of levels) {
    if (level === 0) add(enc, { name: 'conv', resolution, outChannels: width });
    else add(enc, { name: 'down', resolution, outChannels: channels, resampleMode: 'down' });
    for (let i = 0; i < numBlocks; i++) {
      add(enc, { name: `block${i}`, resolution, outChannels: width, resampleMode: 'keep', attention });
    }
  }
  const skips = enc.map(({ outChannels }) => outChannels);
  for (const { width, level, resolution, attention } of levels.reverse()) {
    if (level === widths.length - 1) {
      add(dec, { name: 'in0', resolution, outChannels: channels, resampleMode: 'keep', attention: true });
      add(dec, { name: 'in1', resolution, outChannels: channels, resampleMode: 'keep' });
    } else add(dec, { name: 'up', resolution, outChannels: channels, resampleMode: 'up' });
    for (let i = 0; i <= numBlocks; i++) {
      add(dec, { name: `block${i}`, resolution, outChannels: width, resampleMode: 'keep', attention }, skips.pop());
    }
  }
  return { enc, dec };
}
