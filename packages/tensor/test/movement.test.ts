import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arange, concat, oneHot, ones, type Range, split, stack, zeros } from '../src/index.ts';
import { of, sample, values } from './values.ts';

const grid = of('float64', [0, 1, 2, 3, 4, 5], [2, 3]);

describe('shape', () => {
  test('reshape fills in -1', () => {
    expect(grid.reshape(3, -1).shape).toEqual([3, 2]);
    expect(grid.reshape([-1]).shape).toEqual([6]);
    expect(grid.reshape([1, 6, 1]).shape).toEqual([1, 6, 1]);
    expect(zeros([0, 3]).reshape(-1, 3).shape).toEqual([0, 3]);
    expect(() => grid.reshape(4, -1)).toThrow('reshape: [2, 3] has 6 elements, which do not fill [4, -1]');
    expect(() => grid.reshape(-1, -1)).toThrow('reshape: only one size may be -1');
    expect(() => grid.reshape(4)).toThrow('reshape: [2, 3] has 6 elements, [4] has 4');
    expect(of('float64', [3]).reshape([]).shape).toEqual([]);
  });

  test('permute and transpose', () => {
    expect(values(grid.transpose())).toEqual([0, 3, 1, 4, 2, 5]);
    expect(sample([2, 3, 4]).permute(2, 0, 1).shape).toEqual([4, 2, 3]);
    expect(sample([2, 3, 4]).permute([-1, 0, 1]).shape).toEqual([4, 2, 3]);
    expect(sample([2, 3, 4]).transpose(0, 2).shape).toEqual([4, 3, 2]);
    expect(() => grid.permute(0)).toThrow('permute: [0] is not an order of the axes of [2, 3]');
    expect(() => grid.permute(0, 0)).toThrow('permute');
    expect(() => of('float64', [1]).transpose()).toThrow('transpose: axis -2 is outside a tensor of rank 1');
  });

  test('expand and broadcastTo repeat', () => {
    expect(values(of('float64', [1, 2]).broadcastTo([2, 2]))).toEqual([1, 2, 1, 2]);
    expect(of('float64', [1, 2], [2, 1]).expand([3, -1, 4]).shape).toEqual([3, 2, 4]);
    expect(() => grid.broadcastTo([3])).toThrow('broadcastTo: [2, 3] does not broadcast to [3]');
    expect(() => grid.expand([2, 1])).toThrow('expand: [2, 3] does not broadcast to [2, 1]');
  });

  test('squeeze and unsqueeze', () => {
    const x = zeros([1, 2, 1]);
    expect(x.squeeze().shape).toEqual([2]);
    expect(x.squeeze(0).shape).toEqual([2, 1]);
    expect(x.squeeze(-1).shape).toEqual([1, 2]);
    expect(grid.unsqueeze(-1).shape).toEqual([2, 3, 1]);
    expect(grid.unsqueeze(1).shape).toEqual([2, 1, 3]);
    expect(() => x.squeeze(1)).toThrow('squeeze: axis 1 of [1, 2, 1] has size 2, only size 1 goes');
  });

  test('pad', () => {
    expect(values(of('float64', [1, 2]).pad([[1, 2]], 9))).toEqual([9, 1, 2, 9, 9]);
    expect(zeros([0]).pad([[1, 1]]).shape).toEqual([2]);
    expect(() => grid.pad([[1, 1]])).toThrow('pad: padding has 1 entries for a tensor of rank 2');
    expect(() => grid.pad([[0, -1], [0, 0]])).toThrow('Use slice to crop'); // biome-ignore format: one line
  });
});

/** NumPy's slice of a list, in plain loops. */
function sliced(list: readonly number[], [from, to, by = 1]: NonNullable<Range>): number[] {
  const n = list.length;
  const wrapped = (i: number) => (i < 0 ? i + n : i);
  const result: number[] = [];
  if (by > 0) {
    const end = Math.min(n, to === null || to === undefined ? n : wrapped(to));
    for (let i = Math.max(0, wrapped(from ?? 0)); i < end; i += by) result.push(list[i] as number);
  } else {
    const end = Math.max(-1, to === null || to === undefined ? -1 : wrapped(to));
    for (let i = Math.min(n - 1, wrapped(from ?? n - 1)); i > end; i += by) result.push(list[i] as number);
  }
  return result;
}

describe('slices', () => {
  test('as NumPy takes them', () => {
    expect(values(grid.slice([1]))).toEqual([3, 4, 5]);
    expect(values(grid.slice(null, [0, 2]))).toEqual([0, 1, 3, 4]);
    expect(values(grid.slice(null, [null, null, -1]))).toEqual([2, 1, 0, 5, 4, 3]);
    expect(values(grid.slice([-1], [-2]))).toEqual([4, 5]);
    expect(grid.slice([2, 9]).shape).toEqual([0, 3]);
    expect(grid.slice()).toBe(grid);
    expect(() => grid.slice(null, null, null)).toThrow('slice: 3 ranges for [2, 3]');
    expect(() => grid.slice([0, 1, 0])).toThrow('a step other than 0');
  });

  test('any start, end and step', () => {
    const bound = fc.option(fc.integer({ min: -12, max: 12 }));
    const step = fc.integer({ min: -4, max: 4 }).filter((by) => by !== 0);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 }), bound, bound, step, (n, from, to, by) => {
        const list = Array.from({ length: n }, (_, i) => i);
        expect(values(of('float64', list).slice([from, to, by]))).toEqual(sliced(list, [from, to, by]));
      }),
    );
  });

  test('at takes one index away', () => {
    expect(values(grid.at(1))).toEqual([3, 4, 5]);
    expect(values(grid.at(-1, 1))).toEqual([2, 5]);
    expect(() => grid.at(2)).toThrow('at: index 2 is outside axis 0 of [2, 3], which has 2 elements');
  });

  test('flip', () => {
    expect(values(grid.flip(0))).toEqual([3, 4, 5, 0, 1, 2]);
    expect(values(grid.flip())).toEqual([5, 4, 3, 2, 1, 0]);
  });
});

describe('joining and parting', () => {
  test('concat and stack', () => {
    expect(values(concat([grid, grid.slice([0, 1])]))).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2]);
    expect(concat([zeros([2, 0]), ones([2, 3])], -1).shape).toEqual([2, 3]);
    expect(stack([grid, grid], -1).shape).toEqual([2, 3, 2]);
    expect(values(stack([of('float64', [1, 2]), of('float64', [3, 4])], 1))).toEqual([1, 3, 2, 4]);
    expect(() => concat([])).toThrow('concat: the list is empty');
    expect(() => concat([grid, zeros([2, 3])])).toThrow('concat: dtypes differ, float64 [2, 3] and float32 [2, 3]');
    expect(() => concat([grid, sample([3, 2])])).toThrow('concat: shapes [2, 3] and [3, 2] differ outside axis 0');
    expect(() => stack([grid, sample([2])])).toThrow('stack: shapes differ, [2, 3] and [2]');
  });

  test('split undoes concat', () => {
    const [a, b] = split(grid, [1, 2], 1);
    expect(values(a!)).toEqual([0, 3]);
    expect(values(b!)).toEqual([1, 2, 4, 5]);
    expect(split(grid, 3, -1).map(({ shape }) => shape)).toEqual([[2, 1], [2, 1], [2, 1]]); // biome-ignore format: one line
    expect(() => split(grid, 2, 1)).toThrow('split: axis 1 of [2, 3] has 3 elements, not parts of 2');
    expect(() => split(grid, [1, 1], 1)).toThrow('not parts of 1,1');
  });
});

describe('indices', () => {
  const indices = of('int32', [2, 0, 5, -1]);

  test('gather puts the indices in the axis’ place and reads 0 outside', () => {
    expect(values(grid.gather(indices, 1))).toEqual([2, 0, 0, 0, 5, 3, 0, 0]);
    expect(grid.gather(of('int32', [0, 1, 1, 0], [2, 2])).shape).toEqual([2, 2, 3]);
    expect(grid.gather(zeros([0], { dtype: 'int32' })).shape).toEqual([0, 3]);
    expect(() => grid.gather(sample([2]))).toThrow(
      "gather: indices must be int32 or uint32, got float64. Use .cast('int32')",
    );
  });

  test('takeAlongAxis takes one element for each index', () => {
    expect(values(grid.takeAlongAxis(of('int32', [2, 0], [2, 1]), 1))).toEqual([2, 3]);
    expect(values(grid.takeAlongAxis(of('int32', [1, 0, 1], [1, 3]), 0))).toEqual([3, 1, 5]);
    expect(values(grid.takeAlongAxis(of('int32', [1], [1, 1]), 0))).toEqual([3, 4, 5]);
    expect(values(grid.takeAlongAxis(of('uint32', [3, 2], [2, 1]), -1))).toEqual([0, 5]);
    expect(values(grid.takeAlongAxis(grid.argmax(1, { keepAxes: true }), 1))).toEqual([2, 5]);
    expect(() => grid.takeAlongAxis(indices, 0)).toThrow('Did you mean gather?');
  });

  test('scatterAdd sums in order and drops what is outside', () => {
    const sums = zeros([3], { dtype: 'float64' }).scatterAdd(
      of('int32', [0, 2, 0, 3, -1]),
      of('float64', [1, 2, 4, 8, 16]),
    );
    expect(values(sums)).toEqual([5, 0, 2]);
    const columns = grid.scatterAdd(of('int32', [1]), of('float64', [10, 20], [2, 1]), 1);
    expect(values(columns)).toEqual([0, 11, 2, 3, 24, 5]);
    expect(() => grid.scatterAdd(indices, grid)).toThrow('updates must be [4, 3]');
  });

  test('oneHot', () => {
    expect(values(oneHot(of('int32', [1, 3, -1]), 2))).toEqual([0, 1, 0, 0, 0, 0]);
    expect(oneHot(of('int32', [1, 0], [2, 1]), 4, { dtype: 'float64' }).shape).toEqual([2, 1, 4]);
    expect(oneHot(of('int32', [1]), 2).dtype).toBe('float32');
    expect(() => oneHot(sample([1]), 2)).toThrow('oneHot: indices must be int32');
  });

  test('triangles', () => {
    const x = arange(1, 7).reshape(2, 3);
    expect(values(x.tril())).toEqual([1, 0, 0, 4, 5, 0]);
    expect(values(x.tril(-1))).toEqual([0, 0, 0, 4, 0, 0]);
    expect(values(x.triu())).toEqual([1, 2, 3, 0, 5, 6]);
    expect(values(x.triu(1))).toEqual([0, 2, 3, 0, 0, 6]);
    expect(() => of('float64', [1]).tril()).toThrow('tril: needs a matrix');
  });
});
