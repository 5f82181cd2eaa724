import { isFloat, State, type Tensor } from '@evenkeel/tensor';

/** What a {@link Parameter} may be told beyond its first value. */
export interface ParameterOptions {
  /** Whether optimizers train it. @defaultValue true */
  readonly requiresGrad?: boolean;
}

/**
 * A trained value of a {@link Module}: a cell of float dtype that owns one buffer.
 * Its current value is `parameter.value`; `parameter.assign(next)` makes another one current at once.
 * Where its module publishes it, it is named in state dicts by its path.
 *
 * @throws when the first value is not of a float dtype: integers have no gradients, keep them in a {@link Persistent}.
 *
 * @example
 * ```ts
 * const weight = new Parameter(tensor([1, 2]));
 * const gradient = grad(weight.value.square().sum(), weight.value); // [2, 4]
 * weight.assign(weight.value.sub(gradient.mul(0.25)));
 * await commit();
 * await weight.value.array(); // [0.5, 1]
 * ```
 */
export class Parameter extends State {
  /** Whether optimizers made from here on train it; set to false to freeze. */
  requiresGrad: boolean;

  constructor(value: Tensor, options: ParameterOptions = {}) {
    if (!isFloat(value.dtype)) {
      throw new Error(
        `Parameter: needs a float dtype, got ${value.dtype}. Cast it with .cast('float32'), or keep it in a Persistent`,
      );
    }
    super(value);
    this.requiresGrad = options.requiresGrad ?? true;
  }
}

/**
 * A value that a {@link Module} keeps and saves but no optimizer trains (a "buffer" elsewhere):
 * fixed Fourier frequencies, running statistics. Any dtype.
 *
 * @example
 * ```ts
 * class Fourier extends Module {
 *   readonly frequencies = new Persistent(new Generator(1).normal([64]));
 *   forward(x: Tensor) {
 *     return x.unsqueeze(1).mul(this.frequencies.value).cos();
 *   }
 * }
 * new Fourier().call(zeros([8])); // [8, 64]
 * ```
 */
export class Persistent extends State {}
