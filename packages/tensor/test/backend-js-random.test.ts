import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { Index } from '../src/kernel/ir.ts';
import { contractionKernels, elementwiseKernels, type KernelCase, rowKernels } from '../src/testing/random-kernel.ts';
import { axis, expectAgreement, input, load, output, rowMajor, someValues } from './backend-js-build.ts';

const runs = { numRuns: 150 };
const agree = ({ kernel, operands, given }: KernelCase): void => {
  expectAgreement(kernel, operands, { given: [...given] });
};

describe('random kernels: printed, interpreted and naive agree in every bit', () => {
  test('elementwise, of every dtype', () => fc.assert(fc.property(elementwiseKernels(), agree), runs));
  test('rows of stages', () => fc.assert(fc.property(rowKernels(), agree), runs));
  test('contractions', () => fc.assert(fc.property(contractionKernels(), agree), runs));
});

test('axes of a row and of its elements may be mixed in one division', () => {
  const index: Index = {
    kind: 'floorDiv',
    left: { kind: 'add', left: { kind: 'mul', left: axis(0), by: 3 }, right: axis(1) },
    by: 2,
  };
  expectAgreement(
    {
      kind: 'row',
      operands: [input('float32'), output('float32')],
      arguments: [],
      outer: [3],
      inner: [3],
      stages: [
        { kind: 'store', domain: 'element', store: { operand: 1, index: rowMajor([3, 3]), value: load(0, index) } },
      ],
    },
    [someValues('float32', 9), new Float32Array(9)],
  );
});
