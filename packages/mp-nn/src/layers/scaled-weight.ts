import type { Shape, Tensor } from '@evenkeel/tensor';
import { normalize } from '../functions/normalize.ts';

/**
 * Elements that one output sums over: every axis of the weight but the first. A kernel's area counts.
 *
 * @example
 * ```ts
 * fanIn([64, 32, 3, 3]); // 288
 * ```
 */
export function fanIn(weightShape: Shape): number {
  return weightShape.slice(1).reduce((count, size) => count * size, 1);
}

/**
 * The weight as a layer uses it: rows of unit magnitude, times `gain / sqrt(n)` with n the fan-in, so that an output of
 * n white inputs has RMS `gain`. With its gradient, which is orthogonal to each row up to eps.
 *
 * @example
 * ```ts
 * const weight = new Parameter(new Generator(1).normal([128, 64])); // of a linear layer
 * zeros([8, 64]).matmul(scaledWeight(weight.value, 1).transpose()); // [8, 128], in its forward
 * ```
 */
export function scaledWeight(weight: Tensor, gain: number | Tensor): Tensor {
  const root = Math.sqrt(fanIn(weight.shape));
  return normalize(weight).mul(typeof gain === 'number' ? gain / root : gain.div(root));
}
