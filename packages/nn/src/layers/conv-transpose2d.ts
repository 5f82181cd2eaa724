import { convTranspose2d, type Tensor } from '@evenkeel/tensor';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { fanInUniform, type InitializationOptions } from './initialization.ts';
import { pairOf, requireDivides, requireSizes } from './sizes.ts';

export interface ConvTranspose2dOptions extends InitializationOptions {
  /** @defaultValue 1 */
  readonly stride?: number | readonly [number, number];
  /** What the convolution that this one transposes pads: crops the output. @defaultValue 0 */
  readonly padding?: number | readonly [number, number];
  /** Rows and columns added at the end of the output. @defaultValue 0 */
  readonly outputPadding?: number | readonly [number, number];
  /** @defaultValue 1 */
  readonly dilation?: number | readonly [number, number];
  /** @defaultValue 1 */
  readonly groups?: number;
  /** Whether to add a bias per channel. @defaultValue true */
  readonly bias?: boolean;
}

/**
 * The transpose of {@link Conv2d} (its gradient by the input): `[N, in, H, W]` to `[N, out, H', W']` with
 * H' = (H - 1) stride - 2 padding + dilation (k - 1) + outputPadding + 1.
 * `weight` is `[in, out / groups, kh, kw]`; first values U(-b, b) with b = 1/sqrt(out / groups kh kw).
 *
 * @example
 * ```ts
 * const up = new ConvTranspose2d(16, 8, 2, { stride: 2 });
 * up.call(zeros([1, 16, 4, 4])).shape; // [1, 8, 8, 8]
 * ```
 */
export class ConvTranspose2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly outputPadding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number, number],
    options: ConvTranspose2dOptions = {},
  ) {
    super();
    const [kernelHeight, kernelWidth] = pairOf(kernelSize);
    this.groups = options.groups ?? 1;
    requireSizes('ConvTranspose2d', { inChannels, outChannels, kernelHeight, kernelWidth, groups: this.groups });
    requireDivides('ConvTranspose2d', 'inChannels', inChannels, 'groups', this.groups);
    requireDivides('ConvTranspose2d', 'outChannels', outChannels, 'groups', this.groups);
    this.stride = pairOf(options.stride ?? 1);
    this.padding = pairOf(options.padding ?? 0);
    this.outputPadding = pairOf(options.outputPadding ?? 0);
    this.dilation = pairOf(options.dilation ?? 1);
    const fanIn = (outChannels / this.groups) * kernelHeight * kernelWidth;
    const shape = [inChannels, outChannels / this.groups, kernelHeight, kernelWidth];
    this.weight = new Parameter(fanInUniform(shape, fanIn, options));
    if (options.bias ?? true) this.bias = new Parameter(fanInUniform([outChannels], fanIn, options));
  }

  forward(x: Tensor): Tensor {
    const { stride, padding, outputPadding, dilation, groups } = this;
    const y = convTranspose2d(x, this.weight.value, { stride, padding, outputPadding, dilation, groups });
    return this.bias === undefined ? y : y.add(this.bias.value.reshape([1, -1, 1, 1]));
  }
}
