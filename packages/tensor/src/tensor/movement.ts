import type { DType } from '../types/dtype.ts';
import { broadcastShapes, elementCount, normalizeAxis, type Shape, sameShape, showShape } from '../types/shape.ts';
import { apply, broadcast, checkDTypes, checkNumber, checkTensor, reshaped } from './apply.ts';
import { type Axes, normalizeAxes } from './reductions.ts';
import type { Tensor } from './tensor.ts';

function checkSizes(where: string, shape: Shape): void {
  if (shape.some((size) => !Number.isInteger(size) || size < 0)) {
    throw new Error(`${where}: sizes must be whole numbers of at least 0, got ${showShape(shape)}`);
  }
}

/** One size may be -1: what is left of the element count. */
export function reshape<D extends DType>(x: Tensor<D>, sizes: Shape): Tensor<D> {
  const open = sizes.indexOf(-1);
  if (open < 0) {
    checkSizes('reshape', sizes);
    return reshaped(x, sizes);
  }
  const known = sizes.filter((_, axis) => axis !== open);
  if (known.includes(-1)) throw new Error(`reshape: only one size may be -1, got ${showShape(sizes)}`);
  checkSizes('reshape', known);
  const rest = x.size / elementCount(known);
  if (!Number.isInteger(rest)) {
    throw new Error(`reshape: ${showShape(x.shape)} has ${x.size} elements, which do not fill ${showShape(sizes)}`);
  }
  return reshaped(
    x,
    sizes.map((size) => (size === -1 ? rest : size)),
  );
}

export function permute<D extends DType>(x: Tensor<D>, order: readonly number[]): Tensor<D> {
  const axes = order.map((axis) => normalizeAxis('permute', axis, x.rank));
  if (axes.length === x.rank && axes.every((axis, index) => axis === index)) return x;
  return apply('permute', [x], { order: axes });
}

export function transpose<D extends DType>(x: Tensor<D>, a: number, b: number): Tensor<D> {
  const [first, second] = [normalizeAxis('transpose', a, x.rank), normalizeAxis('transpose', b, x.rank)];
  const order = x.shape.map((_, axis) => axis);
  order[first] = second;
  order[second] = first;
  return permute(x, order);
}

/** Puts one axis elsewhere; the others keep their order. */
export function moveAxis<D extends DType>(x: Tensor<D>, from: number, to: number): Tensor<D> {
  const order = x.shape.map((_, axis) => axis).filter((axis) => axis !== from);
  order.splice(to, 0, from);
  return permute(x, order);
}

/** A size of -1 keeps the axis as it is. */
export function expand<D extends DType>(x: Tensor<D>, where: string, shape: Shape): Tensor<D> {
  const offset = shape.length - x.rank;
  const sizes = shape.map((size, axis) => (size === -1 ? (x.shape[axis - offset] ?? size) : size));
  checkSizes(where, sizes);
  if (offset < 0 || !sameShape(broadcastShapes(where, x.shape, sizes), sizes)) {
    throw new Error(
      `${where}: ${showShape(x.shape)} does not broadcast to ${showShape(shape)}: only axes of size 1 repeat`,
    );
  }
  return broadcast(x, sizes);
}

export function squeeze<D extends DType>(x: Tensor<D>, axes?: Axes): Tensor<D> {
  const named = normalizeAxes('squeeze', axes, x.rank);
  const long = named.find((axis) => x.shape[axis] !== 1);
  if (axes !== undefined && long !== undefined) {
    throw new Error(`squeeze: axis ${long} of ${showShape(x.shape)} has size ${x.shape[long]}, only size 1 goes`);
  }
  return reshaped(
    x,
    x.shape.filter((size, axis) => size !== 1 || !named.includes(axis)),
  );
}

export function unsqueeze<D extends DType>(x: Tensor<D>, axis: number): Tensor<D> {
  const place = normalizeAxis('unsqueeze', axis, x.rank + 1);
  return reshaped(x, [...x.shape.slice(0, place), 1, ...x.shape.slice(place)]);
}

export function pad<D extends DType>(
  x: Tensor<D>,
  widths: readonly (readonly [number, number])[],
  value: number,
): Tensor<D> {
  checkNumber('pad', value, x.dtype);
  if (!Array.isArray(widths) || widths.some((width) => !Array.isArray(width) || width.length !== 2)) {
    throw new Error(`pad: needs [before, after] for each axis of ${showShape(x.shape)}, got ${JSON.stringify(widths)}`);
  }
  if (widths.flat().every((width) => width === 0) && widths.length === x.rank) return x;
  return apply('pad', [x], { low: widths.map(([low]) => low), high: widths.map(([, high]) => high), value });
}

export function flip<D extends DType>(x: Tensor<D>, axes?: Axes): Tensor<D> {
  const list = normalizeAxes('flip', axes, x.rank);
  return list.length === 0 ? x : apply('flip', [x], { axes: list });
}

function checkList(where: string, tensors: readonly Tensor[]): void {
  if (!Array.isArray(tensors)) throw new Error(`${where}: needs a list of tensors. Write ${where}([a, b])`);
  for (const tensor of tensors) checkTensor(where, tensor);
}

/**
 * Tensors one after the other along `axis`; the other axes must agree.
 *
 * @throws when the list is empty, or shapes or dtypes do not fit.
 * @example
 * concat([zeros([2, 3]), ones([1, 3])]); // [3, 3]
 */
export function concat<D extends DType>(tensors: readonly Tensor<D>[], axis = 0): Tensor<D> {
  checkList('concat', tensors);
  const [head] = tensors;
  if (head === undefined) throw new Error('concat: the list is empty. Give at least one tensor');
  checkDTypes('concat', tensors);
  const along = normalizeAxis('concat', axis, head.rank);
  return tensors.length === 1 ? head : apply('concat', tensors, { axis: along });
}

/**
 * Tensors of one shape side by side along a new axis.
 *
 * @example
 * stack([zeros([3]), ones([3])]); // [2, 3]
 */
export function stack<D extends DType>(tensors: readonly Tensor<D>[], axis = 0): Tensor<D> {
  checkList('stack', tensors);
  const [head] = tensors;
  if (head === undefined) throw new Error('stack: the list is empty. Give at least one tensor');
  const odd = tensors.find((tensor) => !sameShape(tensor.shape, head.shape));
  if (odd) throw new Error(`stack: shapes differ, ${showShape(head.shape)} and ${showShape(odd.shape)}`);
  const place = normalizeAxis('stack', axis, head.rank + 1);
  return concat(
    tensors.map((tensor) => unsqueeze(tensor, place)),
    place,
  );
}

/**
 * Parts of `x` along `axis`: `sizes` of them, or as many equal ones as a number says.
 *
 * @throws when the sizes do not add up, or equal parts do not come out even.
 * @example
 * const [shift, scale] = split(zeros([8, 64]), 2, 1) as [Tensor, Tensor];
 * shift; // [8, 32]
 */
export function split<D extends DType>(x: Tensor<D>, sizes: number | readonly number[], axis = 0): Tensor<D>[] {
  const along = normalizeAxis('split', axis, x.rank);
  const total = x.shape[along] as number;
  const parts = typeof sizes === 'number' ? equalParts(total, sizes) : sizes;
  if (parts.some((size) => !Number.isInteger(size) || size < 0) || parts.reduce((a, b) => a + b, 0) !== total) {
    throw new Error(`split: axis ${axis} of ${showShape(x.shape)} has ${total} elements, not parts of ${sizes}`);
  }
  let start = 0;
  return parts.map((size) => {
    const part = crop(x, along, start, size);
    start += size;
    return part;
  });
}

function equalParts(total: number, count: number): number[] {
  if (!Number.isInteger(count) || count < 1) throw new Error(`split: ${count} is not a number of parts`);
  return new Array<number>(count).fill(total / count);
}

/** `size` elements of one axis from `start` on, every `step`-th. */
export function crop<D extends DType>(x: Tensor<D>, axis: number, start: number, size: number, step = 1): Tensor<D> {
  if (start === 0 && size === x.shape[axis] && step === 1) return x;
  const shape = x.shape.map((full, i) => (i === axis ? size : full));
  const pick = (value: number, other: number) => x.shape.map((_, i) => (i === axis ? value : other));
  return apply('slice', [x], { start: pick(start, 0), step: pick(step, 1) }, { shape });
}
