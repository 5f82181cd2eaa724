import type { Attributes, Op } from '../graph/node.ts';
import { createNode } from '../graph/primitives.ts';
import { represent } from '../graph/reference/rounding.ts';
import { type DType, isFloat } from '../types/dtype.ts';
import { broadcastShapes, type Shape, sameShape, showShape } from '../types/shape.ts';
import { Tensor } from './tensor.ts';

/** What arithmetic takes beside a tensor: another tensor, or a number that adopts the tensor's dtype. */
export type TensorOrNumber = Tensor | number;

/** The tensor that primitive `op` makes of `sources`; shape and dtype follow from the inference table. */
export function apply<O extends Op, D extends DType>(
  op: O,
  sources: readonly Tensor[],
  attributes: Attributes[O],
  wanted: { readonly shape?: Shape; readonly dtype?: DType } = {},
): Tensor<D> {
  const nodes = sources.map((source) => source.node);
  return new Tensor<D>(createNode(op, nodes, attributes, wanted));
}

const wholeLimits = { int32: [-(2 ** 31), 2 ** 31 - 1], uint32: [0, 2 ** 32 - 1], bool: [0, 1] } as const;

/** Throws unless a tensor of `dtype` can hold `value`; `fix` is what the message advises. */
export function checkNumber(where: string, value: number, dtype: DType, fix = adviceFor(dtype)): void {
  if (isFloat(dtype)) return;
  const [low, high] = wholeLimits[dtype];
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new Error(`${where}: ${value} is not a value of ${dtype} (whole, ${low} to ${high}). ${fix}`);
}

function adviceFor(dtype: DType): string {
  return dtype === 'bool' ? 'Compare first, or use .cast' : `Use .cast('float32') on the tensor first`;
}

/**
 * A scalar of the user's. Real numbers are launch arguments, so that a learning rate never makes a new plan; whole
 * numbers are part of the program.
 */
export function scalar<D extends DType>(where: string, value: number, dtype: D): Tensor<D> {
  if (typeof value !== 'number') {
    const got = Array.isArray(value)
      ? 'an array. Make a tensor of it with tensor()'
      : value === null
        ? 'null'
        : typeof value;
    throw new Error(`${where}: needs a tensor or a number, got ${got}`);
  }
  checkNumber(where, value, dtype);
  return constant(value, dtype, !isFloat(dtype));
}

/** A scalar of the library's own, part of the program's structure: simplification may fold it. */
export function literal<D extends DType>(value: number, dtype: D): Tensor<D> {
  return constant(value, dtype, true);
}

function constant<D extends DType>(value: number, dtype: D, structural: boolean): Tensor<D> {
  return apply('constant', [], { value: represent(dtype, value), structural }, { dtype });
}

/** `value` in every place of `shape`, as a structural constant. */
export function filled<D extends DType>(shape: Shape, value: number, dtype: D): Tensor<D> {
  return broadcast(literal(value, dtype), shape);
}

/** Sees `x` under `shape`; the number of elements must be equal. */
export function reshaped<D extends DType>(x: Tensor<D>, shape: Shape): Tensor<D> {
  return sameShape(x.shape, shape) ? x : apply('reshape', [x], {}, { shape });
}

/** Repeats `x` to `shape`, which it must broadcast to. */
export function broadcast<D extends DType>(x: Tensor<D>, shape: Shape): Tensor<D> {
  if (sameShape(x.shape, shape)) return x;
  const aligned = reshaped(x, [...new Array<number>(shape.length - x.rank).fill(1), ...x.shape]);
  return sameShape(aligned.shape, shape) ? aligned : apply('expand', [aligned], {}, { shape });
}

/** Throws unless `value` is a tensor: programs without types may pass anything. */
export function checkTensor(where: string, value: unknown): void {
  if (value instanceof Tensor) return;
  const got = Array.isArray(value) ? 'an array' : value === null ? 'null' : typeof value;
  throw new Error(`${where}: needs a tensor, got ${got}. Make one with tensor()`);
}

/** Throws where `tensors` mix dtypes, or are none. */
export function checkDTypes(where: string, tensors: readonly Tensor[]): void {
  for (const tensor of tensors) checkTensor(where, tensor);
  const [head, ...rest] = tensors;
  const odd = rest.find((tensor) => tensor.dtype !== head?.dtype);
  if (head === undefined || odd === undefined) return;
  throw new Error(
    `${where}: dtypes differ, ${head.dtype} ${showShape(head.shape)} and ${odd.dtype} ${showShape(odd.shape)}. Use .cast('${head.dtype}') on the second or .cast('${odd.dtype}') on the first`,
  );
}

/** Operands of one dtype and one shape: numbers adopt the tensors' dtype (`fallback` without any), axes broadcast. */
export function aligned(where: string, values: readonly TensorOrNumber[], fallback: DType = 'float32'): Tensor[] {
  const given = values.filter((value) => value instanceof Tensor);
  checkDTypes(where, given);
  const dtype = given[0]?.dtype ?? fallback;
  const tensors = values.map((value) => (value instanceof Tensor ? value : scalar(where, value, dtype)));
  const shape = broadcastShapes(where, ...tensors.map((tensor) => tensor.shape));
  return tensors.map((tensor) => broadcast(tensor, shape));
}
