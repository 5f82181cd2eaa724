import type { DType } from '@evenkeel/tensor';
import type { Expr, Index, RowKernel } from '@evenkeel/tensor/kernel';
import { describe, expect, test } from 'vitest';
import { printKernel } from '../src/wgsl/print-kernel.ts';
import { plainCard } from './card-traits.ts';

const position: Index = { kind: 'axis', axis: 0 };
const shifted = (by: number): Index => ({ kind: 'add', left: position, right: { kind: 'literal', value: by } });

/** y[i] = x[index] + x[index] */
function doubled(dtype: DType, size: number, index: Index): RowKernel {
  const x: Expr = { kind: 'load', dtype, operand: 0, index, guards: [] };
  const value: Expr = { kind: 'binary', dtype, op: 'add', left: x, right: x };
  return {
    kind: 'row',
    operands: [
      { dtype, access: 'in' },
      { dtype, access: 'out' },
    ],
    arguments: [],
    outer: [size],
    inner: [],
    stages: [{ kind: 'store', domain: 'row', store: { operand: 1, index: position, value } }],
  };
}

const codeOf = (kernel: RowKernel, half = false) => printKernel(kernel, { ...plainCard, half }).launches[0]?.code ?? '';

describe('neighbours in memory', () => {
  test('are moved four at a time', () => {
    const code = codeOf(doubled('float32', 1024, position));
    expect(code).toContain('operand0: array<vec4<f32>>');
    expect(code).toContain('operand1: array<vec4<f32>>');
    expect(code.match(/operand0\[/g)).toHaveLength(1);
  });

  test('also where they begin amid a four', () => {
    expect(codeOf(doubled('int32', 1024, shifted(2))).match(/operand0\[/g)).toHaveLength(2);
  });

  test('are taken one by one where fours do not fit', () => {
    expect(codeOf(doubled('float32', 1022, position))).not.toContain('vec4<f32>');
    const strided: Index = { kind: 'mul', left: position, by: 3 };
    const code = codeOf(doubled('float32', 1024, strided));
    expect(code).toContain('operand0: array<f32>');
    expect(code).toContain('operand1: array<vec4<f32>>');
  });

  test('of float16 are whole words, which takes no atomics', () => {
    expect(codeOf(doubled('float16', 1024, position))).not.toContain('atomic');
    expect(codeOf(doubled('float16', 1022, position))).toContain('atomic');
    expect(codeOf(doubled('float16', 1024, position), true)).toContain('array<vec4<f16>>');
  });
});
