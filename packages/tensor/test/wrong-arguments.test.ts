import { describe, expect, test } from 'vitest';
import {
  arange,
  compile,
  concat,
  conv2d,
  customVjp,
  einsum,
  eye,
  full,
  Generator,
  grad,
  linspace,
  ones,
  State,
  split,
  stack,
  tensor,
  vjp,
  where,
  zeros,
} from '../src/index.ts';
import { values } from './values.ts';

/** What programs without types may pass. */
const untyped = (value: unknown): never => value as never;
const x = ones([2, 3]);
const noDType = "'float' is no dtype. Use one of float32, float64, float16, int32, uint32, bool";

describe('arguments that are no tensors, lists or dtypes are named at once', () => {
  const calls: [what: string, call: () => unknown, message: string][] = [
    ['matmul', () => x.matmul(untyped(2)), 'matmul: needs a tensor, got number. Make one with tensor()'],
    ['add', () => x.add(untyped([1, 2, 3])), 'add: needs a tensor or a number, got an array. Make a tensor of it'],
    ['gather', () => x.gather(untyped([1])), 'gather: needs a tensor, got an array. Make one with tensor()'],
    ['where', () => where(untyped(true), 1, 2), 'where: needs a tensor, got boolean'],
    ['logicalAnd', () => x.less(1).logicalAnd(untyped(null)), 'logicalAnd: needs a tensor, got null'],
    ['einsum', () => einsum('ij->ji', untyped([x])), 'einsum: needs a tensor, got an array'],
    ['conv2d', () => conv2d(ones([1, 1, 2, 2]), untyped([1])), 'conv2d: needs a tensor, got an array'],
    ['concat', () => (concat as (...all: unknown[]) => unknown)(x, x), 'concat: needs a list of tensors. Write concat('],
    ['stack', () => stack([x, untyped(1)]), 'stack: needs a tensor, got number'],
    ['split', () => split(x, -1), 'split: -1 is not a number of parts'],
    ['pad', () => x.pad(untyped(1)), 'pad: needs [before, after] for each axis of [2, 3], got 1'],
    ['norm', () => x.norm(untyped('fro')), 'norm: axes are a number or a list of numbers, got "fro"'],
    ['assign', () => new State(x, { path: 'w' }).assign(untyped(3)), 'w: assign: needs a tensor, got number'],
    ['cast', () => x.cast(untyped('float')), `cast: ${noDType}`],
    ['zeros', () => zeros([2], { dtype: untyped('float') }), `zeros: ${noDType}`],
    ['full', () => full([2], 1, { dtype: untyped('float') }), `full: ${noDType}`],
    ['tensor', () => tensor([1], { dtype: untyped('float') }), `tensor: ${noDType}`],
    ['eye', () => eye(2, 2, { dtype: untyped('float') }), `eye: ${noDType}`],
    ['linspace', () => linspace(0, 1, 2, { dtype: untyped('float') }), `linspace: ${noDType}`],
    ['arange', () => arange(0, 3, 1, { dtype: untyped('float') }), `arange: ${noDType}`],
    ['normal', () => new Generator(1).normal(untyped(3)), 'Generator: sizes must be whole numbers of at least 0, got 3'],
    ['normal std', () => new Generator(1).normal([2], { std: -1 }), 'normal: std must be at least 0, got -1'],
    ['uniform', () => new Generator(1).uniform([2], { low: 3 }), 'uniform: low must not be above high, got 3 and 1'],
    ['permutation', () => new Generator(1).permutation(-1), 'permutation: needs a whole number of at least 0, got -1'],
    ['integers', () => new Generator(1).integers(0, 2 ** 32, [2]), 'integers: 4294967295 is not a value of int32'],
  ]; // biome-ignore format: a table
  test.each(calls)('%s', (_, call, message) => {
    expect(call).toThrow(message);
    expect(call).not.toThrow('\n');
  });

  test('a compiled function that gives no tensors', async () => {
    await expect(compile(() => untyped(5))()).rejects.toThrow('compile: the function must give a tensor, a list');
    await expect(compile(() => untyped('loss'))()).rejects.toThrow('compile: the function must give a tensor, a list');
  });

  test('a custom gradient that forgets an input', () => {
    const y = customVjp([x, x], (a, b) => a.mul(b), (g) => [g]); // biome-ignore format: one line
    expect(() => grad(y.sum(), x)).toThrow('customVjp: backward gave 1 gradients for 2 inputs');
    expect(() => vjp([y], [ones([2, 3])], [x])).toThrow('Give undefined where none flows');
  });
});

describe('whole numbers at the ends of their range', () => {
  test('arange counts beyond int32 in float64, and says what does not fit', () => {
    expect(values(arange(3e9, 3e9 + 3, 1, { dtype: 'float64' }))).toEqual([3e9, 3e9 + 1, 3e9 + 2]);
    expect(values(arange(2 ** 31 - 2, 2 ** 31))).toEqual([2 ** 31 - 2, 2 ** 31 - 1]);
    expect(values(arange(0, 5, 3e9, { dtype: 'float64' }))).toEqual([0]);
    expect(values(arange(2 ** 32 - 2, 2 ** 32, 1, { dtype: 'uint32' }))).toEqual([2 ** 32 - 2, 2 ** 32 - 1]);
    expect(() => arange(3e9, 3e9 + 3)).toThrow('arange: 3000000000 is not a value of int32');
    expect(() => arange(-2, 2, 1, { dtype: 'uint32' })).toThrow('arange: -2 is not a value of uint32');
  });

  test('integers draws from all of int32', () => {
    const drawn = values(new Generator(1).integers(-(2 ** 31), 2 ** 31, [1000]));
    expect(drawn.every((value) => Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31)).toBe(true);
    // The seed is fixed; each quarter of the range has 250 of them, give or take 14.
    for (let quarter = 0; quarter < 4; quarter++) {
      const low = (quarter - 2) * 2 ** 30;
      const count = drawn.filter((value) => value >= low && value < low + 2 ** 30).length;
      expect(Math.abs(count - 250)).toBeLessThan(70);
    }
  });
});
