import { type DType, isFloat, type Tensor } from '@evenkeel/tensor';

/** Options of {@link normalize}. */
export interface NormalizeOptions {
  /** Axes that are reduced into each norm. @defaultValue every axis but the first */
  readonly axes?: number | readonly number[];
  /** Added to the RMS, outside the square root. @defaultValue 1e-4 */
  readonly eps?: number;
}

/** Below every RMS whose square float32 can hold: keeps the square root's slope finite at 0 without being seen. */
const smallestMeanSquare = 1e-36;

/**
 * Scales each group of elements to unit magnitude: `y = x / (eps + r)` with `r = sqrt(mean(x^2 over axes))`.
 *
 * `x` is of any float dtype and shape; `r` is kept in float32 for float16 input. The gradient is
 * `dx = g / s - x sum(g x) / (n r s^2)` with `s = eps + r` and n elements a group; where r = 0 it is `g / s`, so zero
 * rows get no NaN. Not idempotent: RMS 1 becomes `1 / (1 + 1e-4)`, and the fixed point is `1 - 1e-4`.
 *
 * Source: arXiv 2312.02696, algorithm 1.
 *
 * @throws when `x` is no float tensor or an axis does not exist.
 * @example
 * ```ts
 * const weight = normalize(new Generator(1).normal([64, 128], { std: 3 }));
 * await weight.square().mean(1).sqrt().mean().item(); // 0.99997, as for each of the 64 rows
 * ```
 */
export function normalize<D extends DType>(x: Tensor<D>, options: NormalizeOptions = {}): Tensor<D> {
  const { eps = 1e-4 } = options;
  if (!isFloat(x.dtype)) {
    throw new Error(`normalize: needs real numbers, got ${x.dtype}. Use .cast('float32') first`);
  }
  const axes = options.axes ?? x.shape.slice(1).map((_, index) => index + 1);
  const wide: Tensor = x.dtype === 'float16' ? x.cast('float32') : x;
  const meanSquare = wide.square().mean(typeof axes === 'number' ? axes : [...axes], { keepAxes: true });
  const scale = meanSquare.maximum(smallestMeanSquare).sqrt().add(eps);
  return x.div(x.dtype === 'float16' ? scale.cast('float16') : scale);
}
