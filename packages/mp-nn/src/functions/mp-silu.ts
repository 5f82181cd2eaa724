import type { DType, Tensor } from '@evenkeel/tensor';

/** RMS of silu(x) for x ~ N(0, 1) as the paper rounds it (equation 80); to more digits it is 0.59647. */
export const siluMagnitude = 0.596;

/**
 * Magnitude-preserving SiLU: `y = x sigmoid(x) / 0.596`, elementwise.
 *
 * White unit input gives RMS 1.0008; the gradient's RMS is 1.034.
 *
 * Source: arXiv 2312.02696, equation 81.
 *
 * @example
 * ```ts
 * mpSilu(tensor([-1, 0, 1])); // [-0.4512, 0, 1.2266]
 * ```
 */
export function mpSilu<D extends DType>(x: Tensor<D>): Tensor<D> {
  return x.silu().div(siluMagnitude);
}
