import { Conv2d, type GroupNorm, Module, snakeCase } from '@evenkeel/nn';
import type { Tensor } from '@evenkeel/tensor';
import type { VaeShape } from './encoder.ts';
import { MidBlock } from './mid-block.ts';
import { groupNorm, type ResnetBlock, resnetBlocks, type VaeLayerOptions } from './resnet-block.ts';

/** Doubles height and width: every pixel four times, then a 3x3 convolution. */
class Upsampler extends Module {
  readonly conv: Conv2d;

  constructor(channels: number, options: VaeLayerOptions) {
    super();
    this.conv = new Conv2d(channels, channels, 3, { ...options, padding: 1 });
  }

  forward(x: Tensor): Tensor {
    const [samples, channels, height, width] = x.shape as [number, number, number, number];
    const repeated = x
      .reshape([samples, channels, height, 1, width, 1])
      .expand([samples, channels, height, 2, width, 2]);
    return this.conv.call(repeated.reshape([samples, channels, 2 * height, 2 * width]));
  }
}

/** One level of the decoder. */
class UpBlock extends Module {
  readonly resnets: readonly ResnetBlock[];
  readonly upsamplers: readonly Upsampler[];

  constructor(inChannels: number, outChannels: number, layers: number, isLast: boolean, options: VaeLayerOptions) {
    super();
    this.resnets = resnetBlocks(layers, inChannels, outChannels, options);
    this.upsamplers = isLast ? [] : [new Upsampler(outChannels, options)];
  }

  forward(x: Tensor): Tensor {
    const y = this.resnets.reduce((value, resnet) => resnet.call(value), x);
    return this.upsamplers.reduce((value, upsampler) => upsampler.call(value), y);
  }
}

/** Latents `[N, latent, h, w]` to pictures `[N, in, f h, f w]`, f = 2^(levels - 1). */
export class VaeDecoder extends Module {
  static override readonly names = snakeCase;

  readonly convIn: Conv2d;
  readonly upBlocks: readonly UpBlock[];
  readonly midBlock: MidBlock;
  readonly convNormOut: GroupNorm;
  readonly convOut: Conv2d;

  constructor({ inChannels, latentChannels, blockChannels, layersPerBlock }: VaeShape, options: VaeLayerOptions) {
    super();
    const same = { ...options, padding: 1 };
    const levels = [...blockChannels].reverse();
    const [first, last] = [levels[0] as number, levels.at(-1) as number];
    this.convIn = new Conv2d(latentChannels, first, 3, same);
    this.upBlocks = levels.map((channels, level) => {
      // One residual block more than the encoder has.
      const isLast = level === levels.length - 1;
      return new UpBlock(levels[level - 1] ?? first, channels, layersPerBlock + 1, isLast, options);
    });
    this.midBlock = new MidBlock(first, options);
    this.convNormOut = groupNorm(last, options);
    this.convOut = new Conv2d(last, inChannels, 3, same);
  }

  forward(latents: Tensor): Tensor {
    const lowest = this.midBlock.call(this.convIn.call(latents));
    const up = this.upBlocks.reduce((y, block) => block.call(y), lowest);
    return this.convOut.call(this.convNormOut.call(up).silu());
  }
}
