import { describe, expect, test } from 'vitest';
import { printKernel } from '../src/backend-js/index.ts';
import { threefry } from '../src/graph/reference/threefry.ts';
import type { Expr, Operand, RowKernel, Stage, Store } from '../src/kernel/ir.ts';
import type { DType } from '../src/types/dtype.ts';
import {
  at,
  axis,
  binary,
  cast,
  compare,
  div,
  expectAgreement,
  input,
  inside,
  literal,
  load,
  mod,
  output,
  plus,
  rowMajor,
  someValues,
  stage,
  times,
  unary,
} from './backend-js-build.ts';

function rows(
  outer: number[],
  inner: number[],
  operands: Operand[],
  stages: Stage[],
  scalars: DType[] = [],
): RowKernel {
  return { kind: 'row', operands, arguments: scalars, outer, inner, stages };
}
const store = (operand: number, index: Store['index'], value: Expr, domain: 'row' | 'element' = 'row'): Stage => ({
  kind: 'store',
  domain,
  store: { operand, index, value },
});
const x = (sizes: readonly number[]): Expr => load(0, rowMajor(sizes));

describe('row kernels', () => {
  test('elementwise with two stores and a launch argument', () => {
    const sizes = [3, 4];
    const sum = binary('add', x(sizes), { kind: 'argument', dtype: 'float32', argument: 1 });
    const kernel = rows(
      sizes,
      [],
      [input('float32'), output('float32'), output('bool')],
      [store(1, rowMajor(sizes), sum), store(2, rowMajor(sizes), compare('less', sum, literal(0)))],
      ['int32', 'float32'],
    );
    const [, values, signs] = expectAgreement(
      kernel,
      [someValues('float32', 12), new Float32Array(12), new Uint8Array(12)],
      {
        given: [7, 0.1],
      },
    );
    expect(values?.[0]).toBe(Math.fround((someValues('float32', 12)[0] as number) + Math.fround(0.1)));
    expect(new Set(signs)).toEqual(new Set([0, 1]));
  });

  test('softmax: the exponentials are kept, not computed again', () => {
    const sizes = [5, 9];
    const shifted = unary('exp', binary('sub', x(sizes), stage(0)));
    const kernel = rows(
      [5],
      [9],
      [input('float32'), output('float32')],
      [
        { kind: 'reduce', op: 'max', value: x(sizes) },
        { kind: 'map', value: shifted },
        { kind: 'reduce', op: 'sum', value: stage(1) },
        store(1, rowMajor(sizes), binary('div', stage(1), stage(2)), 'element'),
      ],
    );
    const [, result] = expectAgreement(kernel, [someValues('float32', 45), new Float32Array(45)], { exact: false });
    for (let row = 0; row < 5; row++) {
      expect((result as Float32Array).slice(row * 9, row * 9 + 9).reduce((a, b) => a + b)).toBeCloseTo(1, 6);
    }
    expect(printKernel(kernel).match(/powers\[/g)).toHaveLength(1);
  });

  test('a cheap map is computed again in each pass', () => {
    const kernel = rows(
      [2],
      [3],
      [input('float32'), output('float32')],
      [
        { kind: 'map', value: binary('add', x([2, 3]), literal(1)) },
        { kind: 'reduce', op: 'sum', value: stage(0) },
        store(1, rowMajor([2, 3]), binary('sub', stage(0), stage(1)), 'element'),
      ],
    );
    expectAgreement(kernel, [someValues('float32', 6), new Float32Array(6)]);
    expect(printKernel(kernel)).not.toContain('scratch0');
  });

  test('what does not change in the inner loop is computed outside it', () => {
    const kernel = rows(
      [4],
      [6],
      [input('float32'), input('float32'), output('float32')],
      [store(2, rowMajor([4, 6]), binary('mul', x([4, 6]), unary('exp', load(1, axis(0)))), 'element')],
    );
    expectAgreement(kernel, [someValues('float32', 24), someValues('float32', 4), new Float32Array(24)], {
      exact: false,
    });
    const source = printKernel(kernel);
    expect(source.indexOf('powers[')).toBeLessThan(source.indexOf('for (let r0'));
  });

  test.each(['sum', 'prod', 'max', 'min'] as const)('%s of every dtype, wrapping', (op) => {
    for (const dtype of ['float32', 'float64', 'float16', 'int32', 'uint32'] as const) {
      const values = someValues(dtype, 14, 3, dtype === 'int32' || dtype === 'uint32' ? 2 ** 20 : 3);
      const kernel = rows(
        [2],
        [7],
        [input(dtype), output(dtype)],
        [{ kind: 'reduce', op, value: load(0, rowMajor([2, 7]), dtype) }, store(1, axis(0), stage(0, dtype))],
      );
      expectAgreement(kernel, [values, values.slice(0, 2)]);
    }
  });

  test('max and min of bools are or and and', () => {
    for (const op of ['max', 'min'] as const) {
      const kernel = rows(
        [3],
        [2],
        [input('bool'), output('bool')],
        [{ kind: 'reduce', op, value: load(0, rowMajor([3, 2]), 'bool') }, store(1, axis(0), stage(0, 'bool'))],
      );
      const [, result] = expectAgreement(kernel, [Uint8Array.of(0, 0, 0, 1, 1, 1), new Uint8Array(3)]);
      expect([...(result as Uint8Array)]).toEqual(op === 'max' ? [0, 1, 1] : [0, 0, 1]);
    }
  });

  test('max and min hand on NaN from any place', () => {
    for (const op of ['max', 'min'] as const) {
      const kernel = rows(
        [3],
        [3],
        [input('float32'), output('float32')],
        [{ kind: 'reduce', op, value: x([3, 3]) }, store(1, axis(0), stage(0))],
      );
      const [, result] = expectAgreement(kernel, [
        Float32Array.of(NaN, 1, 2, 1, NaN, 2, 1, 2, NaN),
        new Float32Array(3),
      ]);
      expect([...(result as Float32Array)]).toEqual([NaN, NaN, NaN]);
    }
  });

  test('reductions and scans over empty rows, and no rows', () => {
    const stages: Stage[] = [
      { kind: 'reduce', op: 'sum', value: x([2, 0]) },
      { kind: 'reduce', op: 'prod', value: x([2, 0]) },
      store(1, axis(0), binary('add', stage(0), stage(1))),
    ];
    const [, result] = expectAgreement(rows([2], [0], [input('float32'), output('float32')], stages), [
      new Float32Array(0),
      new Float32Array(2),
    ]);
    expect([...(result as Float32Array)]).toEqual([1, 1]);
    expectAgreement(rows([0], [3], [input('float32'), output('float32')], stages), [
      new Float32Array(0),
      new Float32Array(0),
    ]);
  });

  test('scans run in row-major order over several inner axes, and from the end', () => {
    const sizes = [2, 3, 2];
    for (const reverse of [false, true]) {
      for (const op of ['sum', 'prod', 'max', 'min'] as const) {
        const kernel = rows(
          [2],
          [3, 2],
          [input('float32'), output('float32'), output('float32')],
          [
            { kind: 'scan', op, reverse, value: x(sizes) },
            store(1, rowMajor(sizes), stage(0), 'element'),
            { kind: 'reduce', op: 'sum', value: stage(0) },
            store(2, axis(0), stage(2)),
          ],
        );
        expectAgreement(kernel, [someValues('float32', 12, 5), new Float32Array(12), new Float32Array(2)]);
      }
    }
  });

  test('a scan of a scan from the end, used in later passes', () => {
    const sizes = [2, 5];
    const kernel = rows(
      [2],
      [5],
      [input('int32'), output('int32')],
      [
        { kind: 'scan', op: 'sum', reverse: false, value: load(0, rowMajor(sizes), 'int32') },
        { kind: 'scan', op: 'max', reverse: true, value: stage(0, 'int32') },
        { kind: 'reduce', op: 'min', value: stage(1, 'int32') },
        store(
          1,
          rowMajor(sizes),
          binary('sub', binary('add', stage(0, 'int32'), stage(1, 'int32')), stage(2, 'int32')),
          'element',
        ),
      ],
    );
    expectAgreement(kernel, [someValues('int32', 10, 2), new Int32Array(10)]);
  });

  test('in place: a store waits for the last pass that reads the buffer', () => {
    const sizes = [3, 4];
    const kernel = rows(
      [3],
      [4],
      [{ dtype: 'float32', access: 'inout' }, output('float32')],
      [
        store(0, rowMajor(sizes), binary('mul', x(sizes), literal(2)), 'element'),
        { kind: 'reduce', op: 'sum', value: x(sizes) },
        store(1, rowMajor(sizes), binary('sub', x(sizes), stage(1)), 'element'),
      ],
    );
    const start = someValues('float32', 12);
    const [after] = expectAgreement(kernel, [start, new Float32Array(12)]);
    expect([...(after as Float32Array)]).toEqual(Array.from(start, (value) => value * 2));
  });

  test('in place with two stores of one element: both see the old value', () => {
    const kernel = rows(
      [6],
      [],
      [{ dtype: 'float32', access: 'inout' }, output('float32')],
      [
        store(0, axis(0), binary('add', load(0, axis(0)), literal(1))),
        store(1, axis(0), binary('mul', load(0, axis(0)), literal(10))),
      ],
    );
    expectAgreement(kernel, [someValues('float32', 6), new Float32Array(6)]);
  });

  test('guards: padding, strides with holes, never touching memory outside', () => {
    const padded = plus(axis(0), at(-2));
    const kernel = rows(
      [9],
      [],
      [input('float32'), output('float32')],
      [
        store(
          1,
          axis(0),
          load(0, padded, 'float32', [inside(padded, 0, 4), { kind: 'multiple', index: padded, of: 2 }]),
        ),
      ],
    );
    const [, result] = expectAgreement(kernel, [Float32Array.of(1, 2, 3, 4), new Float32Array(9)]);
    expect([...(result as Float32Array)]).toEqual([0, 0, 1, 0, 3, 0, 0, 0, 0]);
  });

  test('gathers with negative and too large positions read 0', () => {
    const position = { kind: 'load', operand: 1, index: axis(0), guards: [] } as const;
    const kernel = rows(
      [5],
      [],
      [input('float32'), input('int32'), output('float32')],
      [store(2, axis(0), load(0, position, 'float32', [inside(position, 0, 3)]))],
    );
    const positions = Int32Array.of(2, -1, 3, 0, 2 ** 31 - 1);
    const [, , result] = expectAgreement(kernel, [Float32Array.of(5, 6, 7), positions, new Float32Array(5)]);
    expect([...(result as Float32Array)]).toEqual([7, 0, 0, 5, 0]);
  });

  test('division and modulo of negative indices round towards minus infinity', () => {
    const kernel = rows(
      [30],
      [],
      [output('int32'), output('int32'), output('int32'), output('int32')],
      [
        ...[3, 4].flatMap((by, i) => [
          store(2 * i, axis(0), { kind: 'index', dtype: 'int32', index: div(plus(axis(0), at(-15)), by) }),
          store(2 * i + 1, axis(0), {
            kind: 'index',
            dtype: 'int32',
            index: mod(plus(times(axis(0), 5), at(-77)), by),
          }),
        ]),
      ],
    );
    expectAgreement(
      kernel,
      [0, 1, 2, 3].map(() => new Int32Array(30)),
    );
  });
});

describe('numbers', () => {
  const one = (dtype: DType, from: DType, value: (x: Expr) => Expr, values: number[]): number[] => {
    const kernel = rows(
      [values.length],
      [],
      [input(from), output(dtype)],
      [store(1, axis(0), value(load(0, axis(0), from)))],
    );
    const given = someValues(from, values.length);
    given.set(values);
    const result = someValues(dtype, values.length);
    return [...(expectAgreement(kernel, [given, result], { exact: false })[1] as Float32Array)];
  };

  test('int32 and uint32 wrap', () => {
    expect(one('int32', 'int32', (v) => binary('mul', v, v), [46341, -65536])).toEqual([-2147479015, 0]);
    expect(one('int32', 'int32', (v) => unary('neg', v), [-(2 ** 31)])).toEqual([-(2 ** 31)]);
    expect(one('int32', 'int32', (v) => unary('abs', v), [-(2 ** 31), -5])).toEqual([-(2 ** 31), 5]);
    expect(one('uint32', 'uint32', (v) => binary('sub', v, literal(5, 'uint32')), [3])).toEqual([4294967294]);
    expect(one('uint32', 'uint32', (v) => binary('mul', v, v), [4294967295])).toEqual([1]);
    expect(one('uint32', 'uint32', (v) => unary('neg', v), [1])).toEqual([4294967295]);
  });

  test('integers divide towards minus infinity, by zero to 0', () => {
    const values = [7, -7, 0];
    expect(one('int32', 'int32', (v) => binary('floorDiv', v, literal(2, 'int32')), values)).toEqual([3, -4, 0]);
    expect(one('int32', 'int32', (v) => binary('mod', v, literal(-3, 'int32')), values)).toEqual([-2, -1, 0]);
    expect(one('int32', 'int32', (v) => binary('floorDiv', v, literal(0, 'int32')), values)).toEqual([0, 0, 0]);
    expect(one('uint32', 'uint32', (v) => binary('mod', v, literal(0, 'uint32')), [9])).toEqual([0]);
  });

  test('floats to integers: truncated, saturated, NaN is 0', () => {
    const values = [1.9, -1.9, 3e9, -3e9, NaN, Number.POSITIVE_INFINITY];
    expect(one('int32', 'float32', (v) => cast('int32', v), values)).toEqual([
      1, -1, 2147483647, -2147483648, 0, 2147483647,
    ]);
    expect(one('uint32', 'float32', (v) => cast('uint32', v), values)).toEqual([1, 0, 3e9, 0, 0, 4294967295]);
    expect(one('bool', 'float32', (v) => cast('bool', v), [0, -0, NaN, 0.5])).toEqual([0, 0, 1, 1]);
    expect(one('float32', 'int32', (v) => cast('float32', v), [16777217])).toEqual([16777216]);
    expect(one('uint32', 'int32', (v) => cast('uint32', v), [-1])).toEqual([4294967295]);
    expect(one('float32', 'bool', (v) => cast('float32', v), [0, 1])).toEqual([0, 1]);
  });

  test('float16 is rounded where it is stored: ties to even, overflow, subnormals', () => {
    const values = [2049, 2051, 65519.9, 65520, 2 ** -25, 3 * 2 ** -25, -(2 ** -24), 0.1];
    const halves = [2048, 2052, 65504, Number.POSITIVE_INFINITY, 0, 2 ** -23, -(2 ** -24), 0.0999755859375];
    expect(one('float16', 'float64', (v) => cast('float16', v), values)).toEqual(halves);
  });

  test('rounds half to even', () => {
    expect(one('float32', 'float32', (v) => unary('round', v), [0.5, 1.5, 2.5, -0.5, -1.5, 1e30])).toEqual([
      0,
      2,
      2,
      -0,
      -2,
      Math.fround(1e30),
    ]);
  });

  test('a computed value compares as the stored one: argmax finds its maximum', () => {
    // exp(x) * 1.1 is not a float32; the maximum of an earlier kernel is.
    const scaled = (v: Expr): Expr => binary('mul', unary('exp', v), literal(1.1));
    const inputs = Float32Array.from({ length: 50 }, (_, i) => Math.sin(i * 7));
    const largest = rows(
      [],
      [50],
      [input('float32'), output('float32')],
      [{ kind: 'reduce', op: 'max', value: scaled(load(0, axis(0))) }, store(1, at(0), stage(0))],
    );
    const [, maximum] = expectAgreement(largest, [inputs, new Float32Array(1)], { exact: false });
    const matches = rows(
      [50],
      [],
      [input('float32'), input('float32'), output('bool')],
      [store(2, axis(0), compare('equal', scaled(load(0, axis(0))), load(1, at(0))))],
    );
    const [, , found] = expectAgreement(matches, [inputs, maximum as Float32Array, new Uint8Array(50)]);
    expect([...(found as Uint8Array)].filter(Boolean)).toHaveLength(1);
    expect((found as Uint8Array).indexOf(1)).toBe(inputs.indexOf(Math.max(...inputs)));
  });

  test('a value that is stored is seen as stored by the rest of its kernel', () => {
    const third = binary('div', load(0, axis(0)), literal(3));
    const kernel = rows(
      [1],
      [],
      [input('float32'), output('float32'), output('float64')],
      [store(1, axis(0), third), store(2, axis(0), cast('float64', binary('mul', third, literal(3))))],
    );
    const one = Float32Array.of(1);
    const operands = [one, new Float32Array(1), new Float64Array(1)];
    const [, , product] = expectAgreement(kernel, operands, { exact: false });
    expect(product?.[0]).toBe(Math.fround(Math.fround(1 / 3) * 3));
  });

  test('exp of float32 over its whole range, within half a unit in the last place', () => {
    const values = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) / 19);
    const special = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, NaN, 1e30, -1e30, 0];
    const result = one('float32', 'float32', (v) => unary('exp', v), [...values, ...special]);
    expect(result.slice(values.length)).toEqual([Number.POSITIVE_INFINITY, 0, NaN, Number.POSITIVE_INFINITY, 0, 1]);
    values.forEach((value, i) => {
      const exact = Math.exp(value);
      if (exact < 2 ** 128 && exact > 2 ** -126)
        expect(Math.abs((result[i] as number) / exact - 1)).toBeLessThan(2 ** -24 * 1.01);
    });
  });

  test('sigmoid of float32 and float64 at its ends', () => {
    const values = [-1000, -80, 0, 80, 1000, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const dtype of ['float32', 'float64'] as const) {
      const result = one(dtype, dtype, (v) => unary('sigmoid', v), values);
      expect(result[0]).toBe(0);
      expect(Math.abs((result[1] as number) / Math.exp(-80) - 1)).toBeLessThan(1e-6);
      expect(result.slice(2)).toEqual([0.5, 1, 1, 0, 1]);
    }
  });

  test('random bits', () => {
    const key = [literal(11, 'uint32'), literal(4294967295, 'uint32')] as const;
    const random = (element: Expr): Expr => {
      return { kind: 'random', dtype: 'uint32', key, element, stream: literal(13, 'uint32') };
    };
    const elements = [0, 1, 2147483648, 4294967295];
    const expected = elements.map((element) => threefry([11, 4294967295], [element, 13])[0]);
    expect(one('uint32', 'uint32', random, elements)).toEqual(expected);
  });
});
