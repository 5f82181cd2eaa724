import { type DType, isInteger } from '../types/dtype.ts';
import { broadcastShapes, elementCount, normalizeAxis, showShape } from '../types/shape.ts';
import { apply, broadcast, checkTensor, filled, literal, reshaped } from './apply.ts';
import { where } from './arithmetic.ts';
import { crop, flip, moveAxis } from './movement.ts';
import type { Tensor } from './tensor.ts';

/**
 * What `slice` takes of one axis: `[start, end, step]` as in NumPy, or null for all of it. The end is left out of the
 * result; negative positions count from the end, null ones mean the axis' own ends, a negative step walks backwards.
 */
export type Range = readonly [start?: number | null, end?: number | null, step?: number] | null;

interface Span {
  readonly start: number;
  readonly size: number;
  readonly step: number;
  readonly backwards: boolean;
}

function span(range: Range, axis: number, size: number): Span {
  const [from, to, by = 1] = range ?? [];
  if ([from ?? 0, to ?? 0, by].some((value) => !Number.isInteger(value)) || by === 0) {
    throw new Error(`slice: axis ${axis} got [${range?.join(', ')}]. Use whole numbers, and a step other than 0`);
  }
  const [least, most] = by > 0 ? [0, size] : [-1, size - 1];
  const place = (value: number | null | undefined, otherwise: number) =>
    value === null || value === undefined
      ? otherwise
      : Math.min(most, Math.max(least, value < 0 ? value + size : value));
  const start = place(from, by > 0 ? 0 : size - 1);
  const end = place(to, by > 0 ? size : -1);
  const count = Math.max(0, Math.ceil((end - start) / by));
  const lowest = count === 0 ? 0 : Math.min(start, start + (count - 1) * by);
  return { start: lowest, size: count, step: Math.abs(by), backwards: by < 0 && count > 1 };
}

export function slice<D extends DType>(x: Tensor<D>, ranges: readonly Range[]): Tensor<D> {
  if (ranges.length > x.rank) {
    throw new Error(`slice: ${ranges.length} ranges for ${showShape(x.shape)}. Give one for each axis, or fewer`);
  }
  const spans = x.shape.map((size, axis) => span(ranges[axis] ?? null, axis, size));
  const same = spans.every(({ size, step }, axis) => size === x.shape[axis] && (step === 1 || size <= 1));
  const taken: Tensor<D> = same
    ? x
    : apply(
        'slice',
        [x],
        { start: spans.map(({ start }) => start), step: spans.map(({ step }) => step) },
        { shape: spans.map(({ size }) => size) },
      );
  return flip(
    taken,
    spans.flatMap(({ backwards }, axis) => (backwards ? [axis] : [])),
  );
}

export function at<D extends DType>(x: Tensor<D>, index: number, axis: number): Tensor<D> {
  const along = normalizeAxis('at', axis, x.rank);
  const size = x.shape[along] as number;
  if (!Number.isInteger(index) || index < -size || index >= size) {
    throw new Error(`at: index ${index} is outside axis ${axis} of ${showShape(x.shape)}, which has ${size} elements`);
  }
  return reshaped(
    crop(x, along, index < 0 ? index + size : index, 1),
    x.shape.filter((_, i) => i !== along),
  );
}

function checkIndices(name: string, indices: Tensor): void {
  checkTensor(name, indices);
  if (!isInteger(indices.dtype)) {
    throw new Error(`${name}: indices must be int32 or uint32, got ${indices.dtype}. Use .cast('int32')`);
  }
}

export function gather<D extends DType>(x: Tensor<D>, indices: Tensor, axis: number): Tensor<D> {
  checkIndices('gather', indices);
  return apply('gather', [x, indices], { axis: normalizeAxis('gather', axis, x.rank) });
}

export function scatterAdd<D extends DType>(
  base: Tensor<D>,
  indices: Tensor,
  updates: Tensor,
  axis: number,
): Tensor<D> {
  checkIndices('scatterAdd', indices);
  checkTensor('scatterAdd', updates);
  return apply('scatterAdd', [base, indices, updates], { axis: normalizeAxis('scatterAdd', axis, base.rank) });
}

/** Rows of the other axes become one axis, so that one gather of flat positions does it. */
export function takeAlongAxis<D extends DType>(x: Tensor<D>, indices: Tensor, axis: number): Tensor<D> {
  checkIndices('takeAlongAxis', indices);
  if (indices.rank !== x.rank) {
    throw new Error(
      `takeAlongAxis: indices ${showShape(indices.shape)} must have the rank of ${showShape(x.shape)}. Did you mean gather?`,
    );
  }
  const along = normalizeAxis('takeAlongAxis', axis, x.rank);
  const last = x.rank - 1;
  const [values, places] = [moveAxis(x, along, last), moveAxis(indices.cast('int32'), along, last)];
  const rows = broadcastShapes('takeAlongAxis', values.shape.slice(0, -1), places.shape.slice(0, -1));
  const [size, taken] = [values.shape[last] as number, places.shape[last] as number];
  const count = elementCount(rows);
  const place = reshaped(broadcast(places, [...rows, taken]), [count, taken]);
  const row = apply<'iota', 'int32'>('iota', [], { axis: 0 }, { shape: [count, taken] });
  const inside = place.greaterEqual(0).logicalAnd(place.less(literal(size, 'int32')));
  const flat = where(inside, row.mul(literal(size, 'int32')).add(place), filled([], -1, 'int32'));
  const found = gather(reshaped(broadcast(values, [...rows, size]), [count * size]), flat, 0);
  return moveAxis(reshaped(found, [...rows, taken]), last, along);
}

/** The part on and below (`'lower'`) or above the diagonal of the last two axes, zeros elsewhere. */
export function triangle<D extends DType>(x: Tensor<D>, part: 'lower' | 'upper', diagonal: number): Tensor<D> {
  const name = part === 'lower' ? 'tril' : 'triu';
  if (x.rank < 2) throw new Error(`${name}: needs a matrix [..., rows, columns], got ${showShape(x.shape)}`);
  const shape = x.shape.slice(-2);
  const row = apply<'iota', 'int32'>('iota', [], { axis: 0 }, { shape });
  const column = apply<'iota', 'int32'>('iota', [], { axis: 1 }, { shape });
  const limit = row.add(diagonal);
  return where(part === 'lower' ? column.lessEqual(limit) : limit.lessEqual(column), x, filled([], 0, x.dtype));
}

/**
 * A new last axis with 1 at each index and 0 elsewhere: `[...shape]` gives `[...shape, count]`. An index outside
 * `0 ... count - 1` gives zeros only.
 *
 * @throws when `indices` are not whole numbers.
 * @example
 * oneHot(tensor([0, 2], { dtype: 'int32' }), 3); // [[1, 0, 0], [0, 0, 1]]
 */
export function oneHot<D extends DType = 'float32'>(
  indices: Tensor,
  count: number,
  { dtype = 'float32' as D }: { readonly dtype?: D } = {},
): Tensor<D> {
  checkIndices('oneHot', indices);
  const shape = [...indices.shape, count];
  const positions = apply<'iota', 'int32'>('iota', [], { axis: indices.rank }, { shape });
  return indices.cast('int32').unsqueeze(-1).equal(positions).cast(dtype);
}
