import { type GroupNorm, Linear, Module, scaledDotProductAttention, snakeCase } from '@evenkeel/nn';
import type { Tensor } from '@evenkeel/tensor';
import { groupNorm, ResnetBlock, type VaeLayerOptions } from './resnet-block.ts';

/** Single-head attention over all pixels, added to x: `[N, C, H, W]` to the same shape. */
export class SpatialAttention extends Module {
  static override readonly names = snakeCase;

  readonly groupNorm: GroupNorm;
  readonly toQ: Linear;
  readonly toK: Linear;
  readonly toV: Linear;
  readonly toOut: readonly [Linear];

  constructor(channels: number, options: VaeLayerOptions) {
    super();
    this.groupNorm = groupNorm(channels, options);
    this.toQ = new Linear(channels, channels, options);
    this.toK = new Linear(channels, channels, options);
    this.toV = new Linear(channels, channels, options);
    this.toOut = [new Linear(channels, channels, options)];
  }

  forward(x: Tensor): Tensor {
    const [samples, channels, height, width] = x.shape as [number, number, number, number];
    const pixels = this.groupNorm
      .call(x)
      .reshape([samples, channels, height * width])
      .transpose();
    const attended = scaledDotProductAttention(this.toQ.call(pixels), this.toK.call(pixels), this.toV.call(pixels));
    return x.add(this.toOut[0].call(attended).transpose().reshape(x.shape));
  }
}

/** Residual block, attention, residual block, at the lowest resolution. */
export class MidBlock extends Module {
  readonly attentions: readonly [SpatialAttention];
  readonly resnets: readonly [ResnetBlock, ResnetBlock];

  constructor(channels: number, options: VaeLayerOptions) {
    super();
    this.attentions = [new SpatialAttention(channels, options)];
    this.resnets = [new ResnetBlock(channels, channels, options), new ResnetBlock(channels, channels, options)];
  }

  forward(x: Tensor): Tensor {
    const [before, after] = this.resnets;
    return after.call(this.attentions[0].call(before.call(x)));
  }
}
