import { type Tensor, where } from '@evenkeel/tensor';

const largest: Readonly<Record<string, number>> = {
  float16: 65504,
  float32: 3.4028234663852886e38,
  float64: Number.MAX_VALUE,
};

/**
 * Where `x` is neither NaN nor infinite, as bools. One comparison: NaN compares false.
 *
 * @example
 * ```ts
 * isFiniteValue(tensor([1, NaN, Infinity])); // [true, false, false]
 * ```
 */
export function isFiniteValue(x: Tensor): Tensor<'bool'> {
  return x.abs().lessEqual(largest[x.dtype] as number);
}

/**
 * `x` with NaN and infinities replaced by 0.
 *
 * @example
 * ```ts
 * zeroNonFinite(tensor([1, NaN, -Infinity])); // [1, 0, 0]
 * ```
 */
export function zeroNonFinite(x: Tensor): Tensor {
  return where(isFiniteValue(x), x, 0);
}
