import { Conv2d, type GroupNorm, Module, snakeCase } from '@evenkeel/nn';
import type { Tensor } from '@evenkeel/tensor';
import { MidBlock } from './mid-block.ts';
import { groupNorm, type ResnetBlock, resnetBlocks, type VaeLayerOptions } from './resnet-block.ts';

/** Channels of pictures, of latents, and of each level from the top. */
export interface VaeShape {
  readonly inChannels: number;
  readonly latentChannels: number;
  readonly blockChannels: readonly number[];
  readonly layersPerBlock: number;
}

/** Halves height and width: a 3x3 convolution of stride 2, padded at the right and below alone. */
class Downsampler extends Module {
  readonly conv: Conv2d;

  constructor(channels: number, options: VaeLayerOptions) {
    super();
    this.conv = new Conv2d(channels, channels, 3, { ...options, stride: 2 });
  }

  forward(x: Tensor): Tensor {
    return this.conv.call(x.pad([[0, 0], [0, 0], [0, 1], [0, 1]])); // biome-ignore format: a row an axis would hide it
  }
}

/** One level of the encoder. */
class DownBlock extends Module {
  readonly resnets: readonly ResnetBlock[];
  readonly downsamplers: readonly Downsampler[];

  constructor(inChannels: number, outChannels: number, layers: number, isLast: boolean, options: VaeLayerOptions) {
    super();
    this.resnets = resnetBlocks(layers, inChannels, outChannels, options);
    this.downsamplers = isLast ? [] : [new Downsampler(outChannels, options)];
  }

  forward(x: Tensor): Tensor {
    const y = this.resnets.reduce((value, resnet) => resnet.call(value), x);
    return this.downsamplers.reduce((value, downsampler) => downsampler.call(value), y);
  }
}

/** Pictures `[N, in, H, W]` to `[N, 2 latent, H / f, W / f]`, f = 2^(levels - 1): before the 1x1 convolution that gives means and log variances. */
export class VaeEncoder extends Module {
  static override readonly names = snakeCase;

  readonly convIn: Conv2d;
  readonly downBlocks: readonly DownBlock[];
  readonly midBlock: MidBlock;
  readonly convNormOut: GroupNorm;
  readonly convOut: Conv2d;

  constructor({ inChannels, latentChannels, blockChannels, layersPerBlock }: VaeShape, options: VaeLayerOptions) {
    super();
    const same = { ...options, padding: 1 };
    const [first, last] = [blockChannels[0] as number, blockChannels.at(-1) as number];
    this.convIn = new Conv2d(inChannels, first, 3, same);
    this.downBlocks = blockChannels.map((channels, level) => {
      const isLast = level === blockChannels.length - 1;
      return new DownBlock(blockChannels[level - 1] ?? first, channels, layersPerBlock, isLast, options);
    });
    this.midBlock = new MidBlock(last, options);
    this.convNormOut = groupNorm(last, options);
    this.convOut = new Conv2d(last, 2 * latentChannels, 3, same);
  }

  forward(x: Tensor): Tensor {
    const down = this.downBlocks.reduce((y, block) => block.call(y), this.convIn.call(x));
    return this.convOut.call(this.convNormOut.call(this.midBlock.call(down)).silu());
  }
}
