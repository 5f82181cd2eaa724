import { evaluate } from '../src/graph/reference.ts';
import { type DType, type Tensor, tensor } from '../src/index.ts';
import type { Shape } from '../src/types/shape.ts';

/** Values by the float64 reference, without scheduler or backend. */
export function values(x: Tensor): number[] {
  return [...(evaluate([x.node])[0] as Float64Array)];
}

/** A float64 tensor of reproducible numbers between -2 and 2, none of them round or equal. */
export function sample(shape: Shape, seed = 1): Tensor<'float64'> {
  const size = shape.reduce((count, axis) => count * axis, 1);
  const list = Float64Array.from({ length: size }, (_, i) => 2 * Math.sin(1.7 * (i + 1) + 3.1 * seed + 0.013 * i * i));
  return tensor(list, { shape });
}

/** A tensor of some dtype from plain numbers. */
export function of<D extends DType>(dtype: D, data: number[], shape: Shape = [data.length]): Tensor<D> {
  return tensor(data, { dtype, shape });
}
