import { describe, expect, test } from 'vitest';
import { type Tensor, tensor, where, zeros } from '../src/index.ts';
import { of, sample, values } from './values.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

describe('arithmetic', () => {
  test('broadcasts axes of size 1 and missing ones', () => {
    const rows = of('float64', [1, 2], [2, 1]);
    const columns = of('float64', [10, 20, 30]);
    const sum = rows.add(columns);
    expect(sum.shape).toEqual([2, 3]);
    expect(values(sum)).toEqual([11, 21, 31, 12, 22, 32]);
  });

  test('keeps empty axes', () => {
    expect(zeros([0, 3]).add(zeros([1, 3])).shape).toEqual([0, 3]);
    expect(zeros([0, 1]).add(zeros([4])).shape).toEqual([0, 4]);
    expect(() => zeros([0]).add(zeros([2]))).toThrow('add: shapes [0] and [2] do not broadcast');
  });

  test('numbers adopt the dtype', () => {
    expect(of('int32', [1, 2]).add(3).dtype).toBe('int32');
    expect(of('float64', [0.1]).mul(0.1).dtype).toBe('float64');
    expect(values(of('float64', [0.1]).mul(0.1))).toEqual([0.1 * 0.1]);
  });

  test('refuses what does not fit, and names the cast', () => {
    expect(() => of('int32', [1]).add(0.5)).toThrow(
      "add: 0.5 is not a value of int32 (whole, -2147483648 to 2147483647). Use .cast('float32') on the tensor first",
    );
    expect(() => of('uint32', [1]).sub(-1)).toThrow('sub: -1 is not a value of uint32');
    expect(() => of('float32', [1]).mul(of('float64', [1]))).toThrow(
      "mul: dtypes differ, float32 [1] and float64 [1]. Use .cast('float32') on the second or .cast('float64') on the first",
    );
    expect(() => of('int32', [1]).div(2)).toThrow("div: needs real numbers, got int32. Use .cast('float32') first");
    expect(() => of('bool', [1]).add(of('bool', [1]))).toThrow('add: needs numbers, got bool');
    expect(() => sample([2, 3]).add(sample([4]))).toThrow('add: shapes [2, 3] and [4] do not broadcast');
    expect(() => sample([2]).add('1' as unknown as number)).toThrow('add: needs a tensor or a number, got string');
  });

  test.each([
    ['add', 5.5, -2.5, 3],
    ['sub', 5.5, -2.5, 8],
    ['mul', 5.5, -2.5, -13.75],
    ['div', 5, -2, -2.5],
    ['floorDiv', 5, -2, -3],
    ['floorDiv', -5, 2, -3],
    ['mod', 5, -3, -1],
    ['mod', -1, 3, 2],
    ['mod', -1.5, 1, 0.5],
    ['pow', 2, 10, 1024],
    ['pow', -2, 2, 4],
    ['pow', 0, 0, 1],
    ['pow', 4, 0.5, 2],
    ['pow', 4, -1, 0.25],
    ['maximum', 1, 2, 2],
    ['maximum', nan, 2, nan],
    ['maximum', 2, nan, nan],
    ['minimum', 1, 2, 1],
    ['minimum', 1, nan, nan],
    ['div', 1, 0, inf],
    ['div', 0, 0, nan],
  ] as const)('%s(%d, %d) is %d', (name, a, b, expected) => {
    const x = of('float64', [a]);
    expect(values(x[name](b))).toEqual([expected]);
    expect(values(x[name](of('float64', [b])))).toEqual([expected]);
  });

  test('whole numbers divide and wrap as in C, with the floor', () => {
    expect(values(of('int32', [7, -7]).floorDiv(2))).toEqual([3, -4]);
    expect(values(of('int32', [7, -7]).mod(3))).toEqual([1, 2]);
    expect(values(of('int32', [2147483647]).add(1))).toEqual([-2147483648]);
    expect(values(of('uint32', [0]).sub(1))).toEqual([4294967295]);
  });

  const functions: Record<string, [(x: Tensor) => Tensor, (x: number) => number]> = {
    neg: [(x) => x.neg(), (x) => -x],
    abs: [(x) => x.abs(), Math.abs],
    sign: [(x) => x.sign(), Math.sign],
    floor: [(x) => x.floor(), Math.floor],
    ceil: [(x) => x.ceil(), Math.ceil],
    exp: [(x) => x.exp(), Math.exp],
    log: [(x) => x.abs().log(), (x) => Math.log(Math.abs(x))],
    sqrt: [(x) => x.abs().sqrt(), (x) => Math.sqrt(Math.abs(x))],
    rsqrt: [(x) => x.abs().rsqrt(), (x) => 1 / Math.sqrt(Math.abs(x))],
    square: [(x) => x.square(), (x) => x * x],
    reciprocal: [(x) => x.reciprocal(), (x) => 1 / x],
    sin: [(x) => x.sin(), Math.sin],
    cos: [(x) => x.cos(), Math.cos],
    tanh: [(x) => x.tanh(), Math.tanh],
    sigmoid: [(x) => x.sigmoid(), (x) => 1 / (1 + Math.exp(-x))],
    silu: [(x) => x.silu(), (x) => x / (1 + Math.exp(-x))],
    relu: [(x) => x.relu(), (x) => Math.max(x, 0)],
  };
  test.each(Object.entries(functions))('%s', (_name, [method, expected]) => {
    const x = sample([7]);
    values(method(x)).forEach((value, i) => {
      expect(value).toBeCloseTo(expected(values(x)[i] as number), 12);
    });
  });

  test('erf and gelu at known points', () => {
    expect(values(of('float64', [0, 1, -1, 3]).erf())).toEqual([
      0,
      expect.closeTo(0.8427007929497149, 13),
      expect.closeTo(-0.8427007929497149, 13),
      expect.closeTo(0.9999779095030014, 13),
    ]);
    expect(values(of('float64', [-1, 0, 1]).gelu())).toEqual([
      expect.closeTo(-0.15865525393145707, 7),
      0,
      expect.closeTo(0.8413447460685429, 7),
    ]);
  });

  test('halves round to even numbers', () => {
    expect(values(of('float64', [0.5, 1.5, 2.5, -0.5, -1.5, 2.4]).round())).toEqual([0, 2, 2, -0, -2, 2]);
  });

  test('NaN goes through relu and clip', () => {
    expect(values(of('float64', [nan, -1, 2]).relu())).toEqual([nan, 0, 2]);
    expect(values(of('float64', [nan, -3, 0.5, 3]).clip(-1, 1))).toEqual([nan, -1, 0.5, 1]);
    expect(values(of('int32', [-3, 3]).clip(0, 2))).toEqual([0, 2]);
  });

  test('float32 constants are float32 numbers', () => {
    expect(tensor(0.1).node.attributes).toEqual({ value: Math.fround(0.1), structural: false });
    expect(tensor(3, { dtype: 'int32' }).node.attributes).toEqual({ value: 3, structural: true });
  });
});

describe('comparisons', () => {
  const a = of('float64', [1, 2, nan, nan]);
  const b = of('float64', [2, 2, 2, nan]);
  test.each([
    ['equal', [0, 1, 0, 0]],
    ['notEqual', [1, 0, 1, 1]],
    ['less', [1, 0, 0, 0]],
    ['lessEqual', [1, 1, 0, 0]],
    ['greater', [0, 0, 0, 0]],
    ['greaterEqual', [0, 1, 0, 0]],
  ] as const)('%s', (name, expected) => {
    const result = a[name](b);
    expect(result.dtype).toBe('bool');
    expect(values(result)).toEqual(expected);
  });

  test('greater is less the other way round', () => {
    expect(values(b.greater(a))).toEqual([1, 0, 0, 0]);
    expect(values(of('int32', [1, 5]).greater(3))).toEqual([0, 1]);
  });

  test('isNaN; whole numbers never are', () => {
    expect(values(a.isNaN())).toEqual([0, 0, 1, 1]);
    expect(values(of('int32', [1]).isNaN())).toEqual([0]);
  });

  test('logic', () => {
    const [p, q] = [of('bool', [0, 0, 1, 1]), of('bool', [0, 1, 0, 1])];
    expect(values(p.logicalAnd(q))).toEqual([0, 0, 0, 1]);
    expect(values(p.logicalOr(q))).toEqual([0, 1, 1, 1]);
    expect(values(p.logicalNot())).toEqual([1, 1, 0, 0]);
    expect(() => sample([2]).logicalNot()).toThrow('logicalNot: needs bool, got float64. Use a comparison');
  });

  test('where chooses, and broadcasts all three', () => {
    const chosen = where(of('bool', [1, 0], [2, 1]), of('float64', [1, 2, 3]), 0);
    expect(chosen.shape).toEqual([2, 3]);
    expect(values(chosen)).toEqual([1, 2, 3, 0, 0, 0]);
    expect(values(where(of('bool', [1, 0]), 1, 2))).toEqual([1, 2]);
    expect(() => where(sample([2]), 1, 2)).toThrow('where: needs bool');
  });
});

describe('cast', () => {
  test('truncates towards zero; bools are 0 and 1', () => {
    expect(values(of('float64', [1.9, -1.9]).cast('int32'))).toEqual([1, -1]);
    expect(values(of('float64', [0, 0.5, nan]).cast('bool'))).toEqual([0, 1, 1]);
    expect(values(of('bool', [0, 1]).cast('float32'))).toEqual([0, 1]);
  });

  test('to the same dtype is the same tensor', () => {
    const x = sample([2]);
    expect(x.cast('float64')).toBe(x);
  });
});
