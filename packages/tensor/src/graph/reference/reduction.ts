import type { DType } from '../../types/dtype.ts';
import { elementCount, stridesOf } from '../../types/shape.ts';
import type { Node, ReduceKind } from '../node.ts';
import type { Values } from './elementwise.ts';
import { eachPosition } from './movement.ts';
import { wrap } from './rounding.ts';

/** What each reduction starts from and how it takes the next element; max and min hand on NaN. */
const reductions: Readonly<
  Record<ReduceKind, { start: number; join: (a: number, b: number, dtype: DType) => number }>
> = {
  sum: { start: 0, join: (a, b, dtype) => wrap(dtype, a + b) },
  prod: { start: 1, join: (a, b, dtype) => (dtype.includes('int') ? wrap(dtype, Math.imul(a, b)) : a * b) },
  max: { start: Number.NEGATIVE_INFINITY, join: (a, b) => Math.max(a, b) },
  min: { start: Number.POSITIVE_INFINITY, join: (a, b) => Math.min(a, b) },
};

export function reduce([x]: readonly Values[], node: Node<'reduce'>): Values {
  const { start, join } = reductions[node.attributes.kind];
  const strides = stridesOf(node.shape);
  const result = new Float64Array(elementCount(node.shape)).fill(start);
  eachPosition((node.sources[0] as Node).shape, (position, flat) => {
    let at = 0;
    position.forEach((p, axis) => {
      if (!node.attributes.axes.includes(axis)) at += p * (strides[axis] as number);
    });
    result[at] = join(result[at] as number, (x as Values)[flat] as number, node.dtype);
  });
  return result;
}

export function scan([x]: readonly Values[], node: Node<'scan'>): Values {
  const { kind, axis, reverse } = node.attributes;
  const { join } = reductions[kind];
  const result = Float64Array.from(x as Values);
  const size = node.shape[axis] as number;
  const inner = elementCount(node.shape.slice(axis + 1));
  const outer = elementCount(node.shape.slice(0, axis));
  for (let row = 0; row < outer * inner; row++) {
    const base = Math.floor(row / inner) * size * inner + (row % inner);
    for (let i = 1; i < size; i++) {
      const at = base + (reverse ? size - 1 - i : i) * inner;
      const before = at + (reverse ? inner : -inner);
      result[at] = join(result[before] as number, result[at] as number, node.dtype);
    }
  }
  return result;
}

/** Adds updates in increasing order; those whose index is out of range are dropped. */
export function scatterAdd([base, indices, updates]: readonly Values[], node: Node<'scatterAdd'>): Values {
  const { axis } = node.attributes;
  const size = node.shape[axis] as number;
  const inner = elementCount(node.shape.slice(axis + 1));
  const outer = elementCount(node.shape.slice(0, axis));
  const result = Float64Array.from(base as Values);
  const targets = indices as Values;
  for (let row = 0; row < outer; row++) {
    targets.forEach((index, i) => {
      if (index < 0 || index >= size) return;
      for (let column = 0; column < inner; column++) {
        const at = (row * size + index) * inner + column;
        const update = (updates as Values)[(row * targets.length + i) * inner + column] as number;
        result[at] = wrap(node.dtype, (result[at] as number) + update);
      }
    });
  }
  return result;
}
