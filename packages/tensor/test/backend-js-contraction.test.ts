import { describe, expect, test } from 'vitest';
import { Blocking } from '../src/backend-js/blocks.ts';
import { compileKernel, printKernel } from '../src/backend-js/index.ts';
import type { Contraction, Expr, Index } from '../src/kernel/ir.ts';
import type { HostArray } from '../src/types/dtype.ts';
import {
  accumulator,
  axis,
  binary,
  expectAgreement,
  input,
  inside,
  literal,
  load,
  output,
  plus,
  rowMajor,
  someValues,
  times,
  unary,
} from './backend-js-build.ts';

/** Row-major [batch, m, k] x [batch, k, n]. */
function matmul(
  batch: number,
  m: number,
  n: number,
  k: number,
  epilogue: (sum: Expr) => Expr = (sum) => sum,
): Contraction {
  const [b, i, j, l] = [axis(0), axis(1), axis(2), axis(3)];
  const flat = (indices: [Index, number][]): Index =>
    indices.reduce((sum: Index, [index, size]) => plus(times(sum, size), index), axis(0));
  return {
    kind: 'contraction',
    operands: [input('float32'), input('float32'), output('float32')],
    arguments: [],
    batch: [batch],
    m: [m],
    n: [n],
    k: [k],
    a: load(
      0,
      flat([
        [i, m],
        [l, k],
      ]),
    ),
    b: load(1, plus(times(plus(times(b, k), l), n), j)),
    dtype: 'float32',
    stores: [
      {
        operand: 2,
        index: flat([
          [i, m],
          [j, n],
        ]),
        value: epilogue(accumulator),
      },
    ],
  };
}

/** Products of small whole numbers are exact: any order of summing gives these bits. */
function expectMatmul(batch: number, m: number, n: number, k: number, interpret = false): void {
  const [a, b] = [someValues('float32', batch * m * k, 1), someValues('float32', batch * k * n, 2)];
  const result = new Float32Array(batch * m * n).fill(Number.NaN);
  compileKernel(matmul(batch, m, n, k), { interpret })([a, b, result], new Float64Array(0));
  const expected = new Float32Array(batch * m * n);
  for (let p = 0; p < batch; p++) {
    for (let i = 0; i < m; i++) {
      for (let l = 0; l < k; l++) {
        const left = a[(p * m + i) * k + l] as number;
        for (let j = 0; j < n; j++) {
          (expected[(p * m + i) * n + j] as number) += left * (b[(p * k + l) * n + j] as number);
        }
      }
    }
  }
  expect(result.findIndex((value, i) => value !== expected[i])).toBe(-1);
}

describe('contractions', () => {
  test.each([
    [1, 1, 1, 1],
    [2, 5, 7, 9],
    [1, 64, 64, 64],
    [1, 1, 9, 600],
    [1, 9, 1, 600],
    [1, 700, 3, 5],
    [1, 3, 700, 5],
    [3, 2, 2, 300],
    [1, 513, 515, 3],
    [1, 1030, 1, 2],
    [1, 5, 1100, 513],
    [1, 1100, 6, 259],
    [1, 521, 1031, 257],
  ])('batch %i, m %i, n %i, k %i', (batch, m, n, k) => expectMatmul(batch, m, n, k));

  test.each([
    [2, 3, 5, 7],
    [1, 7, 2, 300],
    [1, 520, 3, 2],
  ])('interpreted: batch %i, m %i, n %i, k %i', (batch, m, n, k) => expectMatmul(batch, m, n, k, true));

  test.each([
    [1, 3, 4, 0],
    [1, 0, 4, 3],
    [1, 3, 0, 2],
    [0, 3, 4, 2],
  ])('empty axes: batch %i, m %i, n %i, k %i', (batch, m, n, k) => {
    const [a, b] = [someValues('float32', batch * m * k), someValues('float32', batch * k * n)];
    const [, , result] = expectAgreement(matmul(batch, m, n, k), [a, b, new Float32Array(batch * m * n)]);
    if (k === 0) expect([...(result as Float32Array)]).toEqual(new Array(12).fill(0));
  });

  test('prologue, epilogue and a second store', () => {
    const kernel = matmul(1, 6, 5, 4, (sum) => binary('max', binary('add', sum, load(3, axis(2))), literal(0)));
    const squared = {
      ...kernel,
      a: binary('mul', kernel.a, kernel.a),
      operands: [...kernel.operands, input('float32'), output('float64')],
    };
    const second = {
      operand: 4,
      index: plus(times(axis(2), 6), axis(1)),
      value: { kind: 'cast', dtype: 'float64', operand: accumulator } as Expr,
    };
    expectAgreement({ ...squared, stores: [...kernel.stores, second] }, [
      someValues('float32', 24),
      someValues('float32', 20),
      new Float32Array(30),
      someValues('float32', 5),
      new Float64Array(30),
    ]);
  });

  test('an in-place store reads what it overwrites', () => {
    const kernel = matmul(1, 6, 5, 4, (sum) => binary('add', sum, load(2, plus(times(axis(1), 5), axis(2)))));
    const operands = [input('float32'), input('float32'), { dtype: 'float32', access: 'inout' } as const];
    expectAgreement({ ...kernel, operands }, [
      someValues('float32', 24),
      someValues('float32', 20),
      someValues('float32', 30, 7),
    ]);
  });

  test.each([
    { n: 2, c: 3, o: 4, size: 5, stride: 1, padding: 1, taps: 3 },
    { n: 1, c: 2, o: 3, size: 8, stride: 2, padding: 2, taps: 4 },
    { n: 3, c: 30, o: 5, size: 9, stride: 1, padding: 2, taps: 5 },
  ])('a padded convolution: %o', ({ n, c, o, size, stride, padding, taps }) => {
    const out = Math.floor((size + 2 * padding - taps) / stride) + 1;
    // Axes: m = (image, y, x), n = channel out, k = (channel, tap y, tap x).
    const place = (position: number, tap: number): Index =>
      plus(plus(times(axis(position), stride), axis(tap)), { kind: 'literal', value: -padding });
    const [y, x] = [place(1, 5), place(2, 6)];
    const kernel: Contraction = {
      kind: 'contraction',
      operands: [input('float32'), input('float32'), output('float32')],
      arguments: [],
      batch: [],
      m: [n, out, out],
      n: [o],
      k: [c, taps, taps],
      a: load(0, plus(times(plus(times(plus(times(axis(0), c), axis(4)), size), y), size), x), 'float32', [
        inside(y, 0, size),
        inside(x, 0, size),
      ]),
      b: load(1, plus(times(axis(3), c * taps * taps), rowMajor([c, taps, taps], 4))),
      dtype: 'float32',
      stores: [
        {
          operand: 2,
          index: plus(times(plus(times(axis(0), o), axis(3)), out * out), rowMajor([out, out], 1)),
          value: accumulator,
        },
      ],
    };
    expectAgreement(kernel, [
      someValues('float32', n * c * size * size, 1),
      someValues('float32', o * c * taps * taps, 2),
      new Float32Array(n * o * out * out),
    ]);
  });

  test('sums are kept in float64 in the order of k, so blocks change no bit', () => {
    const k = 1000;
    const a = Float32Array.from({ length: k }, (_, i) => Math.sin(i) * 10 ** (i % 7));
    const b = Float32Array.from({ length: k }, (_, i) => Math.cos(i * i));
    let sum = 0;
    a.forEach((value, i) => {
      sum += value * (b[i] as number);
    });
    const operands: HostArray[] = [a, b, new Float32Array(1)];
    compileKernel(matmul(1, 1, 1, k))(operands, new Float64Array(0));
    expect(operands[2]?.[0]).toBe(Math.fround(sum));
  });

  test('transcendental prologues run once an element', () => {
    const kernel = matmul(1, 8, 8, 8);
    const source = printKernel({ ...kernel, a: unary('exp', kernel.a) });
    expect(source.match(/powers\[/g)).toHaveLength(1);
  });
});

describe('blocks', () => {
  const covered = (sizes: number[], limit: number): void => {
    const blocking = new Blocking(sizes, limit);
    const seen: number[] = [];
    for (let number = 0; number < blocking.count; number++) {
      const { from, to, count } = blocking.block(number);
      expect(count).toBeLessThanOrEqual(blocking.largest);
      const visit = (axisNumber: number, position: number): void => {
        if (axisNumber === sizes.length) {
          seen.push(position);
          return;
        }
        for (let i = from[axisNumber] as number; i < (to[axisNumber] as number); i++) {
          visit(axisNumber + 1, position * (sizes[axisNumber] as number) + i);
        }
      };
      const before = seen.length;
      visit(0, 0);
      expect(seen.length - before).toBe(count);
    }
    // Every position once, in row-major order.
    const total = sizes.reduce((product, size) => product * size, 1);
    expect(seen).toEqual(Array.from({ length: total }, (_, i) => i));
  };

  test.each([
    [[], 4],
    [[7], 4],
    [[3, 4], 4],
    [[3, 5], 4],
    [[2, 3, 2], 100],
    [[2, 3, 5], 6],
    [[5, 1, 1], 1],
    [[0, 3], 2],
    [[3, 0], 2],
    [[4, 9, 3], 7],
  ])('%j by %i', (sizes, limit) => {
    covered(sizes, limit);
    expect(new Blocking(sizes, limit).largest).toBeLessThanOrEqual(limit);
  });
});
