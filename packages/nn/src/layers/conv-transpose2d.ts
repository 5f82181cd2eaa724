import { type ConvTransposeOptions, convTranspose2d, type Tensor } from '@evenkeel/tensor';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { fanInUniform, type InitializationOptions } from './initialization.ts';
import { pairOf, requireDivides, requireSizes } from './sizes.ts';

/** How {@link ConvTranspose2d} moves (as `convTranspose2d` takes it) and begins. */
export interface ConvTranspose2dOptions extends InitializationOptions, ConvTransposeOptions {
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
 * up.call(zeros([1, 16, 4, 4])); // [1, 8, 8, 8]
 * ```
 */
export class ConvTranspose2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  /** Stride, padding, output padding, dilation and groups. */
  readonly geometry: Required<ConvTransposeOptions>;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number, number],
    options: ConvTranspose2dOptions = {},
  ) {
    super();
    const [kernelHeight, kernelWidth] = pairOf(kernelSize);
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options;
    this.geometry = { stride, padding, outputPadding, dilation, groups };
    requireSizes('ConvTranspose2d', { inChannels, outChannels, kernelHeight, kernelWidth, groups });
    requireDivides('ConvTranspose2d', 'inChannels', inChannels, 'groups', groups);
    requireDivides('ConvTranspose2d', 'outChannels', outChannels, 'groups', groups);
    const fanIn = (outChannels / groups) * kernelHeight * kernelWidth;
    const shape = [inChannels, outChannels / groups, kernelHeight, kernelWidth];
    this.weight = new Parameter(fanInUniform(shape, fanIn, options));
    if (options.bias ?? true) this.bias = new Parameter(fanInUniform([outChannels], fanIn, options));
  }

  forward(x: Tensor): Tensor {
    const y = convTranspose2d(x, this.weight.value, this.geometry);
    return this.bias === undefined ? y : y.add(this.bias.value.reshape([1, -1, 1, 1]));
  }
}
