import { type ConvOptions, conv2d, type Tensor } from '@evenkeel/tensor';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { fanInUniform, type InitializationOptions } from './initialization.ts';
import { pairOf, requireDivides, requireSizes } from './sizes.ts';

/** How {@link Conv2d} moves (stride, padding, dilation, groups: as `conv2d` takes them) and begins. */
export interface Conv2dOptions extends InitializationOptions, ConvOptions {
  /** Whether to add a bias per channel. @defaultValue true */
  readonly bias?: boolean;
}

/**
 * Convolution (cross-correlation, as the field means it): `[N, in, H, W]` to `[N, out, H', W']` with
 * H' = floor((H + 2 padding - dilation (k - 1) - 1) / stride) + 1.
 * `weight` is `[out, in / groups, kh, kw]`, `bias` `[out]`, both first U(-b, b) with b = 1/sqrt(in / groups kh kw).
 *
 * @throws when `groups` divides not both channel counts, or x has other channels.
 *
 * @example
 * ```ts
 * const layer = new Conv2d(3, 16, 3, { padding: 'same' });
 * layer.call(zeros([1, 3, 8, 8])); // [1, 16, 8, 8]
 * ```
 */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  /** Stride, padding, dilation and groups. */
  readonly geometry: Required<ConvOptions>;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number, number],
    options: Conv2dOptions = {},
  ) {
    super();
    const [kernelHeight, kernelWidth] = pairOf(kernelSize);
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
    this.geometry = { stride, padding, dilation, groups };
    requireSizes('Conv2d', { inChannels, outChannels, kernelHeight, kernelWidth, groups });
    requireDivides('Conv2d', 'inChannels', inChannels, 'groups', groups);
    requireDivides('Conv2d', 'outChannels', outChannels, 'groups', groups);
    const fanIn = (inChannels / groups) * kernelHeight * kernelWidth;
    const shape = [outChannels, inChannels / groups, kernelHeight, kernelWidth];
    this.weight = new Parameter(fanInUniform(shape, fanIn, options));
    if (options.bias ?? true) this.bias = new Parameter(fanInUniform([outChannels], fanIn, options));
  }

  forward(x: Tensor): Tensor {
    const y = conv2d(x, this.weight.value, this.geometry);
    return this.bias === undefined ? y : y.add(this.bias.value.reshape([1, -1, 1, 1]));
  }
}
