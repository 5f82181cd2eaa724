import type { BinaryOp, CompareOp, UnaryOp } from '../graph/node.ts';
import type { Expr, Guard, Index, Operand } from '../kernel/ir.ts';
import { type DType, type HostArray, hostArray } from '../types/dtype.ts';

/** Short names to write kernels by hand. */
export const axis = (number: number): Index => ({ kind: 'axis', axis: number });
export const at = (value: number): Index => ({ kind: 'literal', value });
export const plus = (left: Index, right: Index): Index => ({ kind: 'add', left, right });
export const times = (left: Index, by: number): Index => ({ kind: 'mul', left, by });
export const div = (left: Index, by: number): Index => ({ kind: 'floorDiv', left, by });
export const mod = (left: Index, by: number): Index => ({ kind: 'mod', left, by });
/** Row-major position of axes `first ...` over `sizes`. */
export function rowMajor(sizes: readonly number[], first = 0): Index {
  return sizes.reduce((sum: Index, size, i) => plus(times(sum, size), axis(first + i)), at(0));
}
export const inside = (index: Index, from: number, to: number): Guard => ({ kind: 'range', index, from, to });

export const input = (dtype: DType): Operand => ({ dtype, access: 'in' });
export const output = (dtype: DType): Operand => ({ dtype, access: 'out' });

export function load(operand: number, index: Index, dtype: DType = 'float32', guards: readonly Guard[] = []): Expr {
  return { kind: 'load', dtype, operand, index, guards };
}
export const literal = (value: number, dtype: DType = 'float32'): Expr => ({ kind: 'literal', dtype, value });
export const stage = (number: number, dtype: DType = 'float32'): Expr => ({ kind: 'stage', dtype, stage: number });
export const accumulator: Expr = { kind: 'accumulator', dtype: 'float32' };
export const unary = (op: UnaryOp, operand: Expr): Expr => ({ kind: 'unary', dtype: operand.dtype, op, operand });
export function binary(op: BinaryOp, left: Expr, right: Expr): Expr {
  return { kind: 'binary', dtype: left.dtype, op, left, right };
}
export const compare = (op: CompareOp, left: Expr, right: Expr): Expr => ({
  kind: 'compare',
  dtype: 'bool',
  op,
  left,
  right,
});
export const cast = (dtype: DType, operand: Expr): Expr => ({ kind: 'cast', dtype, operand });

/** Whole numbers of both signs, the same for the same seed. */
export function someValues(dtype: DType, length: number, seed = 1, size = 4): HostArray {
  const values = hostArray(dtype, length);
  let state = seed * 2654435761;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = (state >>> 8) % (2 * size + 1);
    values[i] = dtype === 'bool' ? value % 2 : dtype === 'uint32' ? value : value - size;
  }
  return values;
}
