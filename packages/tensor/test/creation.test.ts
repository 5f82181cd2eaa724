import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { arange, eye, full, linspace, ones, onesLike, tensor, zeros, zerosLike } from '../src/index.ts';
import { values } from './values.ts';

describe('tensor', () => {
  test('of numbers and nested arrays', () => {
    expect(tensor(2.5).shape).toEqual([]);
    expect(tensor([[1, 2, 3], [4, 5, 6]]).shape).toEqual([2, 3]); // biome-ignore format: one line
    expect(values(tensor([[[1], [2]]], { dtype: 'int32' }))).toEqual([1, 2]);
    expect(tensor([]).shape).toEqual([0]);
    expect(tensor([[], []]).shape).toEqual([2, 0]);
    expect(tensor([1, 2, 3, 4], { shape: [2, 2] }).shape).toEqual([2, 2]);
    expect(tensor([true, false]).dtype).toBe('bool');
    expect(tensor(true).dtype).toBe('bool');
    expect(tensor([1]).dtype).toBe('float32');
    expect(values(tensor([0.1]))).toEqual([Math.fround(0.1)]);
  });

  test('of typed arrays, which keep their dtype', () => {
    expect(tensor(new Float32Array(2)).dtype).toBe('float32');
    expect(tensor(new Float64Array(2)).dtype).toBe('float64');
    expect(tensor(new Uint32Array(2)).dtype).toBe('uint32');
    expect(tensor(new Uint8Array([255])).dtype).toBe('int32');
    expect(values(tensor(new Uint8Array([255, 0]), { dtype: 'float32', shape: [2, 1] }))).toEqual([255, 0]);
  });

  test('copies', () => {
    const list = new Float64Array([1, 2]);
    const x = tensor(list);
    list[0] = 9;
    expect(values(x)).toEqual([1, 2]);
  });

  test('of ndarrays, strides and offset included', () => {
    const base = ndarray(new Float64Array([0, 1, 2, 3, 4, 5]), [2, 3]);
    expect(values(tensor(base))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(tensor(base.transpose(1, 0)).shape).toEqual([3, 2]);
    expect(values(tensor(base.transpose(1, 0)))).toEqual([0, 3, 1, 4, 2, 5]);
    expect(values(tensor(base.lo(0, 1).step(1, -1)))).toEqual([2, 1, 5, 4]);
    expect(values(tensor(base.pick(1, null)))).toEqual([3, 4, 5]);
    expect(tensor(base).dtype).toBe('float64');
    expect(tensor(ndarray([1, 2, 3]), { shape: [3, 1] }).shape).toEqual([3, 1]);
    expect(tensor(ndarray(new Uint8Array([7]), [1, 1]), { dtype: 'float32' }).dtype).toBe('float32');
    expect(tensor(ndarray(new Float32Array(0), [0, 3])).shape).toEqual([0, 3]);
  });

  test('refuses ragged arrays, misfits and broken whole numbers', () => {
    expect(() => tensor([[1, 2], [3]])).toThrow('tensor: nested arrays are ragged at depth 1, expected 2 entries, got an array of 1'); // biome-ignore format: one line
    expect(() => tensor([1, [2]])).toThrow('tensor: needs numbers at depth 1 of nested arrays, got an array of 1');
    expect(() => tensor([1, 2], { shape: [3] })).toThrow('tensor: 2 values do not fill shape [3]');
    expect(() => tensor([0.5], { dtype: 'int32' })).toThrow('tensor: 0.5 is not a value of int32');
    expect(() => tensor(new Float32Array([-1]), { dtype: 'uint32' })).toThrow('tensor: -1 is not a value of uint32');
    expect(() => tensor('1' as unknown as number)).toThrow('tensor: needs numbers, nested arrays');
    expect(() => tensor([1], { shape: [-1] })).toThrow(
      'tensor: a shape is a list of whole numbers of at least 0, got [-1]',
    );
    expect(() => tensor(new BigInt64Array(1) as unknown as Int32Array)).toThrow('64-bit integers have no dtype here');
  });
});

describe('filled and counted', () => {
  test('zeros, ones, full and their likes', () => {
    expect(values(zeros([2, 1]))).toEqual([0, 0]);
    expect(values(ones([2], { dtype: 'int32' }))).toEqual([1, 1]);
    expect(values(full([2], 0.5))).toEqual([0.5, 0.5]);
    expect(zeros([]).shape).toEqual([]);
    expect(zerosLike(ones([2], { dtype: 'bool' })).dtype).toBe('bool');
    expect(values(onesLike(zeros([3], { dtype: 'float64' })))).toEqual([1, 1, 1]);
    expect(() => zeros([1.5])).toThrow('zeros: a shape is a list of whole numbers of at least 0, got [1.5]');
    expect(() => zeros(3 as unknown as number[])).toThrow('zeros: a shape is a list');
    expect(() => full([1], 0.5, { dtype: 'int32' })).toThrow('full: 0.5 is not a value of int32');
  });

  test('arange', () => {
    expect(values(arange(3))).toEqual([0, 1, 2]);
    expect(arange(3).dtype).toBe('int32');
    expect(values(arange(1, 4))).toEqual([1, 2, 3]);
    expect(values(arange(5, 0, -2))).toEqual([5, 3, 1]);
    expect(values(arange(0, 1, 0.25, { dtype: 'float64' }))).toEqual([0, 0.25, 0.5, 0.75]);
    expect(arange(0, 1, 0.25).dtype).toBe('float32');
    expect(values(arange(0, 2, 1, { dtype: 'float64' }))).toEqual([0, 1]);
    expect(arange(3, 0).shape).toEqual([0]);
    expect(() => arange(0, 1, 0)).toThrow('arange: needs finite numbers and a step other than 0');
  });

  test('linspace has both ends exactly', () => {
    expect(values(linspace(0, 1, 5))).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(values(linspace(0, 0.7, 8, { dtype: 'float64' })).at(-1)).toBe(0.7);
    expect(values(linspace(3, 9, 1))).toEqual([3]);
    expect(linspace(0, 1, 0).shape).toEqual([0]);
  });

  test('eye', () => {
    expect(values(eye(2))).toEqual([1, 0, 0, 1]);
    expect(values(eye(2, 3))).toEqual([1, 0, 0, 0, 1, 0]);
    expect(eye(2, 2, { dtype: 'float64' }).dtype).toBe('float64');
  });
});
