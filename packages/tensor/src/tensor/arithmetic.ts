import type { BinaryOp, CompareOp, UnaryOp } from '../graph/node.ts';
import { type DType, isFloat } from '../types/dtype.ts';
import { broadcastShapes } from '../types/shape.ts';
import { aligned, apply, broadcast, checkTensor, filled, literal, type TensorOrNumber } from './apply.ts';
import type { Tensor } from './tensor.ts';

export function unary<D extends DType>(op: UnaryOp, x: Tensor<D>): Tensor<D> {
  return apply(op, [x], {});
}

export function binary<D extends DType>(op: BinaryOp, where: string, a: Tensor<D>, b: TensorOrNumber): Tensor<D> {
  return apply(op, aligned(where, [a, b]), {});
}

export function compare(op: CompareOp, where: string, a: Tensor, b: TensorOrNumber): Tensor<'bool'> {
  return apply(op, aligned(where, [a, b]), {});
}

/** Whether `b` is less than (or equal to) `a`. */
export function compareSwapped(op: CompareOp, where: string, a: Tensor, b: TensorOrNumber): Tensor<'bool'> {
  return apply(op, aligned(where, [a, b]).reverse(), {});
}

/** And, or: the smaller and the larger of two bools. */
export function logical(op: 'min' | 'max', where: string, a: Tensor, b: Tensor): Tensor<'bool'> {
  checkBool(where, a, b);
  return apply(op, aligned(where, [a, b]), {});
}

export function logicalNot(x: Tensor): Tensor<'bool'> {
  checkBool('logicalNot', x);
  return apply('not', [x], {});
}

function checkBool(where: string, ...tensors: readonly Tensor[]): void {
  for (const tensor of tensors) checkTensor(where, tensor);
  const odd = tensors.find((tensor) => tensor.dtype !== 'bool');
  if (odd) throw new Error(`${where}: needs bool, got ${odd.dtype}. Use a comparison, for example .notEqual(0)`);
}

export function isNotANumber(x: Tensor): Tensor<'bool'> {
  return isFloat(x.dtype) ? apply('notEqual', [x, x], {}) : filled(x.shape, 0, 'bool');
}

/** NumPy's shortcuts: squares, roots and reciprocals are exact, and defined for negative bases where they can be. */
export function pow<D extends DType>(x: Tensor<D>, exponent: TensorOrNumber): Tensor<D> {
  if (isFloat(x.dtype)) {
    if (exponent === 1) return x;
    if (exponent === 2) return x.mul(x);
    if (exponent === 0.5) return x.sqrt();
    if (exponent === -1) return reciprocal(x);
  }
  return binary('pow', 'pow', x, exponent);
}

export function reciprocal<D extends DType>(x: Tensor<D>): Tensor<D> {
  return filled(x.shape, 1, x.dtype).div(x);
}

/** Zero's gradient is 0; NaN stays NaN. */
export function relu<D extends DType>(x: Tensor<D>): Tensor<D> {
  const zero = filled(x.shape, 0, x.dtype);
  return choose(x.lessEqual(zero), zero, x);
}

/** x times the standard normal distribution function, by erf. */
export function gelu<D extends DType>(x: Tensor<D>): Tensor<D> {
  const share = x.mul(literal(Math.SQRT1_2, x.dtype)).erf().add(literal(1, x.dtype));
  return x.mul(literal(0.5, x.dtype)).mul(share);
}

/** Written with choices, so that a value on a bound still passes its gradient on. */
export function clip<D extends DType>(x: Tensor<D>, low: TensorOrNumber, high: TensorOrNumber): Tensor<D> {
  const [value, least, most] = aligned('clip', [x, low, high]) as [Tensor<D>, Tensor<D>, Tensor<D>];
  const raised = choose(value.less(least), least, value);
  return choose(most.less(raised), most, raised);
}

/**
 * Elements of `a` where `condition` holds, of `b` elsewhere; all three broadcast. Gradients reach only the chosen side.
 *
 * @throws when `condition` is not bool or `a` and `b` differ in dtype.
 * @example
 * const x = tensor([-1, 2]);
 * where(x.less(0), 0, x); // [0, 2]
 */
export function where<D extends DType>(condition: Tensor, a: Tensor<D>, b: TensorOrNumber): Tensor<D>;
export function where<D extends DType>(condition: Tensor, a: TensorOrNumber, b: Tensor<D>): Tensor<D>;
export function where(condition: Tensor, a: number, b: number): Tensor<'float32'>;
export function where(condition: Tensor, a: TensorOrNumber, b: TensorOrNumber): Tensor;
export function where(condition: Tensor, a: TensorOrNumber, b: TensorOrNumber): Tensor {
  checkBool('where', condition);
  const [x, y] = aligned('where', [a, b]) as [Tensor, Tensor];
  return choose(condition, x, y);
}

function choose<D extends DType>(condition: Tensor, a: Tensor<D>, b: Tensor<D>): Tensor<D> {
  const shape = broadcastShapes('where', condition.shape, a.shape, b.shape);
  return apply('where', [broadcast(condition, shape), broadcast(a, shape), broadcast(b, shape)], {});
}
