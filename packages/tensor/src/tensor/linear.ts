import type { DType } from '../types/dtype.ts';
import { broadcastShapes, elementCount, showShape } from '../types/shape.ts';
import { apply, broadcast, checkDTypes, reshaped } from './apply.ts';
import { moveAxis } from './movement.ts';
import type { Tensor } from './tensor.ts';

function checkInner(where: string, a: Tensor, b: Tensor): void {
  checkDTypes(where, [a, b]);
  if (a.rank === 0 || b.rank === 0) {
    throw new Error(`${where}: ${showShape(a.shape)} x ${showShape(b.shape)}, a scalar has no inner axis. Use mul`);
  }
  const [last, rows] = [a.shape[a.rank - 1], b.shape[Math.max(0, b.rank - 2)]];
  if (last === rows) return;
  const fix =
    b.rank > 1 && last === b.shape[b.rank - 1]
      ? '. Did you mean to transpose the second?'
      : a.rank > 1 && a.shape[a.rank - 2] === rows
        ? '. Did you mean to transpose the first?'
        : '';
  throw new Error(`${where}: inner sizes differ, ${showShape(a.shape)} x ${showShape(b.shape)}${fix}`);
}

/** NumPy's `@`: vectors gain an axis for the product and lose it again, batch axes broadcast. */
export function matmul<D extends DType>(a: Tensor<D>, b: Tensor): Tensor<D> {
  checkInner('matmul', a, b);
  if (a.rank === 1) return dropAxis(matmul(reshaped(a, [1, ...a.shape]), b), b.rank === 1 ? 0 : -2);
  if (b.rank === 1) return dropAxis(matmul(a, reshaped(b, [...b.shape, 1])), -1);
  const inner = a.shape[a.rank - 1] as number;
  const columns = b.shape[b.rank - 1] as number;
  if (a.rank > 2 && b.rank === 2) {
    // One matrix for all of a batch: rows of the batch are rows of one product, nothing repeats.
    const rows = a.shape.slice(0, -1);
    return reshaped(apply('matmul', [reshaped(a, [elementCount(rows), inner]), b], {}), [...rows, columns]);
  }
  const batch = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  return apply(
    'matmul',
    [broadcast(a, [...batch, ...a.shape.slice(-2)]), broadcast(b, [...batch, inner, columns])],
    {},
  );
}

function dropAxis<D extends DType>(x: Tensor<D>, axis: number): Tensor<D> {
  return x.squeeze(axis);
}

/** NumPy's `dot`: the last axis of `a` with the last but one of `b`; every other axis stays. */
export function dot<D extends DType>(a: Tensor<D>, b: Tensor): Tensor<D> {
  checkInner('dot', a, b);
  if (b.rank === 1) return matmul(a, b);
  const inner = b.rank - 2;
  const others = b.shape.filter((_, axis) => axis !== inner);
  const second = reshaped(moveAxis(b, inner, 0), [b.shape[inner] as number, elementCount(others)]);
  return reshaped(matmul(a, second), [...a.shape.slice(0, -1), ...others]);
}
