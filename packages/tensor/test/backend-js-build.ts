import { expect } from 'vitest';
import { compileKernel } from '../src/backend-js/index.ts';
import type { BinaryOp, CompareOp, UnaryOp } from '../src/graph/node.ts';
import type { Expr, Guard, Index, Kernel, Operand } from '../src/kernel/ir.ts';
import { type DType, type HostArray, hostArray } from '../src/types/dtype.ts';
import { runOracle } from './backend-js-oracle.ts';

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

/**
 * Runs a kernel printed, interpreted and by the oracle on copies of the operands; all three must agree in every bit
 * (`exact: false`: the oracle within rounding of float32). Outputs start as NaN or garbage.
 */
export function expectAgreement(
  kernel: Exclude<Kernel, { kind: 'host' }>,
  operands: readonly HostArray[],
  { given = [], exact = true, absolute = 1e-37 }: { given?: number[]; exact?: boolean; absolute?: number } = {},
): HostArray[] {
  const copies = (): HostArray[] => {
    return operands.map((operand, i) =>
      kernel.operands[i]?.access === 'out' ? operand.slice().fill(Number.NaN) : operand.slice(),
    );
  };
  const [expected, printed, interpreted] = [copies(), copies(), copies()];
  runOracle(kernel, expected, given);
  compileKernel(kernel, { interpret: false })(printed, Float64Array.from(given));
  compileKernel(kernel, { interpret: true })(interpreted, Float64Array.from(given));
  // + 0: zeros of both signs are one.
  const plain = (arrays: readonly HostArray[]): number[][] =>
    arrays.map((array) => Array.from(array, (value) => value + 0));
  expect(plain(interpreted)).toEqual(plain(printed));
  if (exact) {
    expect(plain(printed)).toEqual(plain(expected));
    return printed;
  }
  printed.forEach((array, i) => {
    array.forEach((value, j) => {
      const wanted = expected[i]?.[j] as number;
      if (Object.is(value + 0, wanted + 0)) return;
      expect(Math.abs(value - wanted), `operand ${i} element ${j}: ${value}, expected ${wanted}`).toBeLessThanOrEqual(
        2 ** -22 * Math.abs(wanted) + absolute,
      );
    });
  });
  return printed;
}
