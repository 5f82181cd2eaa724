import type { ReduceKind } from '../graph/node.ts';
import { type DType, isFloat } from '../types/dtype.ts';
import { normalizeAxis, type Shape, showShape } from '../types/shape.ts';
import { apply, filled, literal, reshaped } from './apply.ts';
import { where } from './arithmetic.ts';
import type { Tensor } from './tensor.ts';

/** One axis or several; negative ones count from the end. */
export type Axes = number | readonly number[];

/** What becomes of the axes that are reduced. */
export interface ReduceOptions {
  /** Reduced axes stay with size 1, so that the result broadcasts against the input. Default false. */
  readonly keepAxes?: boolean;
}

/** What becomes of the axes, and what the squares are divided by. */
export interface VarianceOptions extends ReduceOptions {
  /** The divisor is the count less this: 0 for a population (default), 1 for a sample. */
  readonly correction?: number;
}

/** Axis numbers as `0 ... rank - 1`, each once; all of them when none are given. */
export function normalizeAxes(name: string, axes: Axes | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  if (typeof axes !== 'number' && !Array.isArray(axes)) {
    throw new Error(`${name}: axes are a number or a list of numbers, got ${JSON.stringify(axes)}`);
  }
  const list = (typeof axes === 'number' ? [axes] : axes).map((axis) => normalizeAxis(name, axis, rank));
  if (new Set(list).size < list.length) throw new Error(`${name}: axes [${list.join(', ')}] name an axis twice`);
  return list.sort((a, b) => a - b);
}

function withoutAxes(shape: Shape, axes: readonly number[]): number[] {
  return shape.filter((_, axis) => !axes.includes(axis));
}

function settle<D extends DType>(kept: Tensor<D>, axes: readonly number[], { keepAxes = false }: ReduceOptions) {
  return keepAxes ? kept : reshaped(kept, withoutAxes(kept.shape, axes));
}

function needsReal(name: string, x: Tensor): void {
  if (!isFloat(x.dtype)) {
    throw new Error(`${name}: needs real numbers, got ${x.dtype} ${showShape(x.shape)}. Use .cast('float32') first`);
  }
}

/** float16 is for storage: what lies between squares or exponentials and their sums is kept in float32. */
function isNarrow(x: Tensor): boolean {
  return x.dtype === 'float16';
}

export function reduce<D extends DType>(
  kind: ReduceKind,
  x: Tensor<D>,
  axes?: Axes,
  options: ReduceOptions = {},
): Tensor<D> {
  const list = normalizeAxes(kind, axes, x.rank);
  if (list.length === 0) return x;
  return settle(apply('reduce', [x], { kind, axes: list }), list, options);
}

function countAlong(shape: Shape, axes: readonly number[]): number {
  return axes.reduce((count, axis) => count * (shape[axis] as number), 1);
}

export function mean<D extends DType>(x: Tensor<D>, axes?: Axes, options: ReduceOptions = {}): Tensor<D> {
  needsReal('mean', x);
  if (isNarrow(x)) return mean(x.cast('float32'), axes, options).cast(x.dtype);
  const count = countAlong(x.shape, normalizeAxes('mean', axes, x.rank));
  return reduce('sum', x, axes, options).div(literal(count, x.dtype));
}

export function variance<D extends DType>(x: Tensor<D>, axes?: Axes, options: VarianceOptions = {}): Tensor<D> {
  needsReal('var', x);
  if (isNarrow(x)) return variance(x.cast('float32'), axes, options).cast(x.dtype);
  const { correction = 0, ...rest } = options;
  const count = countAlong(x.shape, normalizeAxes('var', axes, x.rank));
  const centered = x.sub(mean(x, axes, { keepAxes: true }));
  return reduce('sum', centered.square(), axes, rest).div(literal(count - correction, x.dtype));
}

export function norm<D extends DType>(x: Tensor<D>, axes?: Axes, options: ReduceOptions = {}): Tensor<D> {
  needsReal('norm', x);
  if (isNarrow(x)) return norm(x.cast('float32'), axes, options).cast(x.dtype);
  return reduce('sum', x.square(), normalizeAxes('norm', axes, x.rank), options).sqrt();
}

/** Whether all (min) or any (max) of some bools hold; over no elements all do and none does. */
export function quantifier(kind: 'min' | 'max', x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor<'bool'> {
  const name = kind === 'min' ? 'all' : 'any';
  if (x.dtype !== 'bool') throw new Error(`${name}: needs bool, got ${x.dtype}. Use a comparison first`);
  const list = normalizeAxes(name, axes, x.rank);
  if (x.size > 0) return reduce(kind, x as Tensor<'bool'>, list, options);
  const kept = x.shape.map((size, axis) => (list.includes(axis) ? 1 : size));
  return settle(filled(kept, kind === 'min' ? 1 : 0, 'bool'), list, options);
}

/** Position of the first extreme element; the first NaN counts as extreme, as in NumPy. */
export function argument(
  kind: 'max' | 'min',
  x: Tensor,
  axis?: number,
  { keepAxes = false }: ReduceOptions = {},
): Tensor<'int32'> {
  if (axis === undefined) {
    const found = argument(kind, reshaped(x, [x.size]), 0);
    return keepAxes ? reshaped(found, x.shape.map(() => 1)) : found; // biome-ignore format: reads as one choice
  }
  const along = normalizeAxis(`arg${kind}`, axis, x.rank);
  const size = x.shape[along] as number;
  if (x.size === 0 && size === 0) {
    throw new Error(`arg${kind}: axis ${axis} of ${showShape(x.shape)} is empty, nothing to choose from`);
  }
  const extreme = x.equal(reduce(kind, x, along, { keepAxes: true }));
  const candidates = isFloat(x.dtype) ? extreme.logicalOr(x.isNaN()) : extreme;
  const positions = apply<'iota', 'int32'>('iota', [], { axis: along }, { shape: x.shape });
  return reduce('min', where(candidates, positions, filled(x.shape, size, 'int32')), along, { keepAxes });
}

/** What to subtract before exponentiating: the largest element, or 0 where that is infinite. A constant to gradients. */
function shift<D extends DType>(x: Tensor<D>, axes: Axes | undefined): Tensor<D> {
  const largest = reduce('max', x, axes, { keepAxes: true }).detach();
  return where(largest.abs().less(literal(Number.POSITIVE_INFINITY, x.dtype)), largest, filled([], 0, x.dtype));
}

export function logsumexp<D extends DType>(x: Tensor<D>, axes?: Axes, options: ReduceOptions = {}): Tensor<D> {
  needsReal('logsumexp', x);
  if (isNarrow(x)) return logsumexp(x.cast('float32'), axes, options).cast(x.dtype);
  const list = normalizeAxes('logsumexp', axes, x.rank);
  if (countAlong(x.shape, list) === 0) return reduce('sum', x, list, options).log();
  const by = shift(x, list);
  const kept = reduce('sum', x.sub(by).exp(), list, { keepAxes: true }).log().add(by);
  return settle(kept, list, options);
}

export function softmax<D extends DType>(x: Tensor<D>, axis = -1): Tensor<D> {
  needsReal('softmax', x);
  if (isNarrow(x)) return softmax(x.cast('float32'), axis).cast(x.dtype);
  const along = normalizeAxis('softmax', axis, x.rank);
  if (x.size === 0) return x;
  const exponentials = x.sub(shift(x, along)).exp();
  return exponentials.div(reduce('sum', exponentials, along, { keepAxes: true }));
}

export function logSoftmax<D extends DType>(x: Tensor<D>, axis = -1): Tensor<D> {
  needsReal('logSoftmax', x);
  if (isNarrow(x)) return logSoftmax(x.cast('float32'), axis).cast(x.dtype);
  const along = normalizeAxis('logSoftmax', axis, x.rank);
  if (x.size === 0) return x;
  const shifted = x.sub(shift(x, along));
  return shifted.sub(reduce('sum', shifted.exp(), along, { keepAxes: true }).log());
}

export function scan<D extends DType>(kind: 'sum' | 'prod', x: Tensor<D>, axis: number): Tensor<D> {
  const along = normalizeAxis(kind === 'sum' ? 'cumsum' : 'cumprod', axis, x.rank);
  return apply('scan', [x], { kind, axis: along, reverse: false });
}
