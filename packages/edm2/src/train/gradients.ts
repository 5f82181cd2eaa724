import { isFiniteValue } from '@evenkeel/nn';
import type { Tensor } from '@evenkeel/tensor';

/** L2 norm of all gradients together, a scalar. */
export function normOf(gradients: readonly Tensor[]): Tensor {
  return total(gradients.map((gradient) => gradient.square().sum())).sqrt();
}

/** How many numbers of all gradients are NaN or infinite, a scalar. */
export function nonFiniteCount(gradients: readonly Tensor[]): Tensor {
  return total(gradients.map((gradient) => isFiniteValue(gradient).logicalNot().cast('float32').sum()));
}

function total(scalars: readonly Tensor[]): Tensor {
  const [first, ...others] = scalars as [Tensor, ...Tensor[]];
  return others.reduce((sum, scalar) => sum.add(scalar), first);
}
