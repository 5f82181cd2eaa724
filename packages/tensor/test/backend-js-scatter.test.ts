import { expect, test } from 'vitest';
import type { ScatterAdd } from '../src/kernel/ir.ts';
import type { DType } from '../src/types/dtype.ts';
import {
  at,
  axis,
  binary,
  expectAgreement,
  input,
  literal,
  load,
  output,
  plus,
  someValues,
  times,
} from './backend-js-build.ts';

/** target[outer, size] = base, then updates[outer, updates] added at positions[updates]. */
function scatter(dtype: DType, outer: number, size: number, updates: number): ScatterAdd {
  return {
    kind: 'scatterAdd',
    operands: [input(dtype), input('int32'), input(dtype), output(dtype)],
    arguments: [],
    outer: [outer],
    size,
    updates,
    target: { operand: 3, index: plus(times(axis(0), size), axis(1)) },
    initial: load(0, plus(times(axis(0), size), axis(1)), dtype),
    position: { kind: 'load', operand: 1, index: axis(1), guards: [] },
    update: load(2, plus(times(axis(0), updates), axis(1)), dtype),
  };
}

test.each(['float32', 'float64', 'float16', 'int32', 'uint32'] as const)(
  '%s, positions repeated and out of range',
  (dtype) => {
    const positions = Int32Array.of(2, 0, 2, -1, 4, 2, 5, 0);
    expectAgreement(scatter(dtype, 3, 5, 8), [
      someValues(dtype, 15, 1),
      positions,
      someValues(dtype, 24, 2),
      someValues(dtype, 15),
    ]);
  },
);

test('updates are added in increasing order, rounded each time', () => {
  // 1 is lost beside 2^24 in float32, but not if both ones come first.
  const given = (updates: number[]): number => {
    const [, , , result] = expectAgreement(scatter('float32', 1, 1, updates.length), [
      new Float32Array(1),
      new Int32Array(updates.length),
      Float32Array.from(updates),
      new Float32Array(1),
    ]);
    return result?.[0] as number;
  };
  expect(given([2 ** 24, 1, 1])).toBe(2 ** 24);
  expect(given([1, 1, 2 ** 24])).toBe(2 ** 24 + 2);
});

test('no updates, no positions, no rows', () => {
  for (const [outer, size, updates] of [
    [2, 3, 0],
    [2, 0, 3],
    [0, 3, 3],
    [1, 1, 1],
  ] as const) {
    expectAgreement(scatter('float32', outer, size, updates), [
      someValues('float32', outer * size),
      new Int32Array(updates),
      someValues('float32', outer * updates),
      new Float32Array(outer * size),
    ]);
  }
});

test('every update to one fixed position, which does not change in the loop', () => {
  const kernel: ScatterAdd = { ...scatter('float32', 2, 3, 4), position: at(1), initial: literal(10) };
  const [, , , result] = expectAgreement(kernel, [
    new Float32Array(6),
    new Int32Array(4),
    new Float32Array(8).fill(2),
    new Float32Array(6),
  ]);
  expect([...(result as Float32Array)]).toEqual([10, 18, 10, 10, 18, 10]);
});

test('initial and update are expressions', () => {
  const plain = scatter('float32', 2, 3, 4);
  const kernel: ScatterAdd = {
    ...plain,
    initial: binary('mul', plain.initial, literal(3)),
    update: binary('sub', plain.update, {
      kind: 'cast',
      dtype: 'float32',
      operand: { kind: 'index', dtype: 'int32', index: axis(1) },
    }),
  };
  expectAgreement(kernel, [
    someValues('float32', 6),
    Int32Array.of(0, 2, 2, 1),
    someValues('float32', 8, 3),
    new Float32Array(6),
  ]);
});
