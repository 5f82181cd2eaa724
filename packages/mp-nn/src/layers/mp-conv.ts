import { type InitializationOptions, Module, Parameter, requireSizes, standardNormal } from '@evenkeel/nn';
import { conv2d, showShape, type Tensor } from '@evenkeel/tensor';
import { normalize } from '../functions/normalize.ts';
import type { Projectable } from './project.ts';
import { scaledWeight } from './scaled-weight.ts';

/** Options of {@link MPConv}. */
export interface MPConvOptions extends InitializationOptions {
  /** Odd height and width of the kernel. @defaultValue 1 */
  readonly kernel?: number | readonly [number, number];
}

/**
 * Magnitude-preserving convolution without bias, at stride 1 and with zero padding that keeps the size:
 * `y = conv(x, W gain / sqrt(n))`, W the weight with each output's n = in kh kw elements normalized.
 * `[N, in, H, W]` to `[N, out, H, W]`.
 *
 * `weight` is `[out, in, kh, kw]`, first N(0, 1). The forward pass never changes it: call {@link project} before each
 * training forward for forced weight normalization. White unit input gives RMS `gain` but for the padding's zeros: a
 * 3x3 kernel on 4 to 32 pixels gives 0.83 to 0.98.
 *
 * Source: arXiv 2312.02696, equation 47; forced weight normalization, equation 66.
 *
 * @throws when a size is not a whole number of at least 1, a kernel size is even or `x` is not `[N, in, H, W]`.
 * @example
 * ```ts
 * const layer = new MPConv(16, 32, { kernel: 3 });
 * layer.call(new Generator(1).normal([8, 16, 8, 8])); // [8, 32, 8, 8]
 * ```
 */
export class MPConv extends Module implements Projectable {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: readonly [number, number];
  readonly weight: Parameter;

  constructor(inChannels: number, outChannels: number, options: MPConvOptions = {}) {
    super();
    requireSizes('MPConv', { inChannels, outChannels });
    const { kernel = 1 } = options;
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernel = typeof kernel === 'number' ? [kernel, kernel] : kernel;
    if (this.kernel.some((size) => size % 2 !== 1)) {
      throw new Error(
        `MPConv: kernel sizes must be odd, got ${showShape(this.kernel)}. Even ones cannot keep the size`,
      );
    }
    this.weight = new Parameter(standardNormal([outChannels, inChannels, ...this.kernel], options));
  }

  /** `gain` is a number or a scalar tensor, such as a Parameter's value. */
  forward(x: Tensor, gain: number | Tensor = 1): Tensor {
    if (x.rank !== 4 || x.shape[1] !== this.inChannels) {
      throw new Error(
        `MPConv: wants [N, ${this.inChannels}, H, W], got ${showShape(x.shape)}. Reshape the input, or make the layer with inChannels ${x.shape[1]}`,
      );
    }
    const weight = scaledWeight(this.weight.value, gain).cast(x.dtype);
    return conv2d(x, weight, { padding: this.kernel.map((size) => (size - 1) / 2) });
  }

  /** Forced weight normalization: each output's stored weights get RMS 1, outside of any gradient. */
  project(): void {
    this.weight.assign(normalize(this.weight.value));
  }
}
