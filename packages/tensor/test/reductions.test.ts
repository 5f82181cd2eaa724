import { describe, expect, test } from 'vitest';
import { zeros } from '../src/index.ts';
import { of, sample, values } from './values.ts';

const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: low } = Number;
const grid = of('float64', [1, 2, 3, 4, 5, 6], [2, 3]);

describe('reductions', () => {
  test('over all axes, some, negative ones, none', () => {
    expect(values(grid.sum())).toEqual([21]);
    expect(grid.sum().shape).toEqual([]);
    expect(values(grid.sum(0))).toEqual([5, 7, 9]);
    expect(values(grid.sum(-1))).toEqual([6, 15]);
    expect(grid.sum([0, 1], { keepAxes: true }).shape).toEqual([1, 1]);
    expect(grid.sum([])).toBe(grid);
    expect(values(grid.prod(1))).toEqual([6, 120]);
    expect(values(grid.max(0))).toEqual([4, 5, 6]);
    expect(values(grid.min(1, { keepAxes: true }))).toEqual([1, 4]);
    expect(values(of('float64', [7], []).sum())).toEqual([7]);
  });

  test('mean, variance, deviation', () => {
    expect(values(grid.mean(1))).toEqual([2, 5]);
    expect(values(grid.var(1))).toEqual([expect.closeTo(2 / 3, 14), expect.closeTo(2 / 3, 14)]);
    expect(values(grid.var(1, { correction: 1 }))).toEqual([1, 1]);
    expect(values(grid.std(0))).toEqual([1.5, 1.5, 1.5]);
    expect(values(of('float64', [3, 4]).norm())).toEqual([5]);
  });

  test('of nothing: sum 0, product 1, mean NaN; extremes refuse', () => {
    const empty = zeros([2, 0], { dtype: 'float64' });
    expect(values(empty.sum(1))).toEqual([0, 0]);
    expect(values(empty.prod(1))).toEqual([1, 1]);
    expect(values(empty.mean(1))).toEqual([nan, nan]);
    expect(values(empty.logsumexp(1))).toEqual([low, low]);
    expect(() => empty.max(1)).toThrow('max: has no value over an empty axis, shape [2, 0]');
    expect(empty.max(0).shape).toEqual([0]);
    expect(() => empty.argmax(1)).toThrow('argmax: axis 1 of [2, 0] is empty');
    expect(empty.softmax().shape).toEqual([2, 0]);
    expect(values(empty.equal(0).all(1))).toEqual([1, 1]);
    expect(values(empty.equal(0).any())).toEqual([0]);
  });

  test('NaN wins in extremes', () => {
    const x = of('float64', [1, nan, 3, -inf, inf, 0], [2, 3]);
    expect(values(x.max(1))).toEqual([nan, inf]);
    expect(values(x.min(1))).toEqual([nan, low]);
  });

  test('argmax takes the first of equals and the first NaN', () => {
    expect(values(of('float64', [1, 3, 3, 2]).argmax())).toEqual([1]);
    expect(values(of('float64', [1, nan, 3, nan]).argmax(0))).toEqual([1]);
    expect(values(of('float64', [1, nan, 0]).argmin(0))).toEqual([1]);
    expect(values(of('int32', [4, 1, 1, 9], [2, 2]).argmin(0))).toEqual([1, 0]);
    expect(values(of('bool', [0, 1, 1]).argmax())).toEqual([1]);
    expect(grid.argmax().dtype).toBe('int32');
    expect(values(grid.argmax())).toEqual([5]);
    expect(grid.argmax(1, { keepAxes: true }).shape).toEqual([2, 1]);
  });

  test('logsumexp and softmax neither overflow nor lose -Infinity', () => {
    const large = of('float64', [1000, 1000, low, -1000], [2, 2]);
    expect(values(large.logsumexp(1))).toEqual([1000 + Math.LN2, -1000]);
    expect(values(large.softmax())).toEqual([0.5, 0.5, 0, 1]);
    expect(values(of('float64', [low, low]).logsumexp())).toEqual([low]);
    expect(values(of('float64', [inf, 0]).logsumexp())).toEqual([inf]);
    expect(values(of('float64', [low, low]).softmax())).toEqual([nan, nan]);
    expect(values(of('float64', [0, low]).logSoftmax())).toEqual([0, low]);
  });

  test('softmax sums to 1 along its axis', () => {
    const x = sample([3, 4]);
    for (const total of values(x.softmax(0).sum(0))) expect(total).toBeCloseTo(1, 14);
    values(x.logSoftmax(0)).forEach((value, i) => {
      expect(value).toBeCloseTo(Math.log(values(x.softmax(0))[i] as number), 13);
    });
  });

  test('all and any', () => {
    const x = of('bool', [1, 1, 0, 1], [2, 2]);
    expect(values(x.all(1))).toEqual([1, 0]);
    expect(values(x.any(0))).toEqual([1, 1]);
    expect(x.all().dtype).toBe('bool');
    expect(() => grid.all()).toThrow('all: needs bool, got float64');
  });

  test('running sums and products', () => {
    expect(values(grid.cumsum(1))).toEqual([1, 3, 6, 4, 9, 15]);
    expect(values(grid.cumsum(0))).toEqual([1, 2, 3, 5, 7, 9]);
    expect(values(grid.cumprod(-1))).toEqual([1, 2, 6, 4, 20, 120]);
  });

  test('errors name the function, the axes and the cast', () => {
    expect(() => of('int32', [1, 2]).mean()).toThrow(
      "mean: needs real numbers, got int32 [2]. Use .cast('float32') first",
    );
    expect(() => of('bool', [1]).sum()).toThrow('sum: needs numbers, got bool');
    expect(() => grid.sum(2)).toThrow('sum: axis 2 is outside a tensor of rank 2');
    expect(() => grid.sum([0, -2])).toThrow('sum: axes [0, 0] name an axis twice');
  });
});
