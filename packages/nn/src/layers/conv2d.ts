import { conv2d, type Tensor } from '@evenkeel/tensor';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { fanInUniform, type InitializationOptions } from './initialization.ts';
import { pairOf, requireDivides, requireSizes } from './sizes.ts';

export interface Conv2dOptions extends InitializationOptions {
  /** @defaultValue 1 */
  readonly stride?: number | readonly [number, number];
  /** Zeros on every side; `'same'` keeps the size of an odd kernel at stride 1. @defaultValue 0 */
  readonly padding?: number | readonly [number, number] | 'same';
  /** Spacing of the kernel's taps. @defaultValue 1 */
  readonly dilation?: number | readonly [number, number];
  /** Blocks of channels that do not see each other. @defaultValue 1 */
  readonly groups?: number;
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
 * layer.call(zeros([1, 3, 8, 8])).shape; // [1, 16, 8, 8]
 * ```
 */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number, number],
    options: Conv2dOptions = {},
  ) {
    super();
    const [kernelHeight, kernelWidth] = pairOf(kernelSize);
    this.groups = options.groups ?? 1;
    requireSizes('Conv2d', { inChannels, outChannels, kernelHeight, kernelWidth, groups: this.groups });
    requireDivides('Conv2d', 'inChannels', inChannels, 'groups', this.groups);
    requireDivides('Conv2d', 'outChannels', outChannels, 'groups', this.groups);
    this.stride = pairOf(options.stride ?? 1);
    this.dilation = pairOf(options.dilation ?? 1);
    this.padding = paddingOf(options.padding ?? 0, [kernelHeight, kernelWidth], this.dilation);
    const fanIn = (inChannels / this.groups) * kernelHeight * kernelWidth;
    const shape = [outChannels, inChannels / this.groups, kernelHeight, kernelWidth];
    this.weight = new Parameter(fanInUniform(shape, fanIn, options));
    if (options.bias ?? true) this.bias = new Parameter(fanInUniform([outChannels], fanIn, options));
  }

  forward(x: Tensor): Tensor {
    const { stride, padding, dilation, groups } = this;
    const y = conv2d(x, this.weight.value, { stride, padding, dilation, groups });
    return this.bias === undefined ? y : y.add(this.bias.value.reshape([1, -1, 1, 1]));
  }
}

function paddingOf(
  padding: number | readonly [number, number] | 'same',
  kernel: readonly [number, number],
  dilation: readonly [number, number],
): [number, number] {
  if (padding !== 'same') return pairOf(padding);
  const reach = [dilation[0] * (kernel[0] - 1), dilation[1] * (kernel[1] - 1)] as const;
  if (reach[0] % 2 !== 0 || reach[1] % 2 !== 0) {
    throw new Error(
      `Conv2d: padding 'same' needs an odd kernel, got [${kernel.join(', ')}]. Pad the input and use padding 0`,
    );
  }
  return [reach[0] / 2, reach[1] / 2];
}
