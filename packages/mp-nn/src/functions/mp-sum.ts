import { type DType, sameShape, showShape, type Tensor } from '@evenkeel/tensor';

/**
 * Magnitude-preserving sum: `y = ((1 - t) a + t b) / sqrt((1 - t)^2 + t^2)`; `t` weighs the second argument.
 *
 * `a` and `b` have one shape. Two uncorrelated inputs of RMS 1 give RMS 1.
 *
 * Source: arXiv 2312.02696, equation 88.
 *
 * @throws when the shapes differ.
 * @example
 * ```ts
 * mpSum(tensor([1, 2]), tensor([3, 4]), 0.3); // residual path 0.7, branch 0.3: [2.1009, 3.4140]
 * ```
 */
export function mpSum<D extends DType>(a: Tensor<D>, b: Tensor<D>, t = 0.5): Tensor<D> {
  if (!sameShape(a.shape, b.shape)) {
    throw new Error(
      `mpSum: shapes differ, ${showShape(a.shape)} and ${showShape(b.shape)}. Expand one of them first if you mean to broadcast`,
    );
  }
  const magnitude = Math.hypot(1 - t, t);
  return a.mul((1 - t) / magnitude).add(b.mul(t / magnitude));
}
