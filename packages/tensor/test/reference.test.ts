import { describe, expect, test } from 'vitest';
import type { Attributes, Node, Op } from '../src/graph/node.ts';
import { createNode } from '../src/graph/primitives.ts';
import { erf } from '../src/graph/reference/erf.ts';
import { roundToHalf } from '../src/graph/reference/rounding.ts';
import { threefry } from '../src/graph/reference/threefry.ts';
import { evaluate, evaluateAsync } from '../src/graph/reference.ts';
import { type DType, hostArrayFrom } from '../src/types/dtype.ts';
import type { Shape } from '../src/types/shape.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

function buffer(values: readonly number[], shape: Shape = [values.length], dtype: DType = 'float64'): Node {
  const host = hostArrayFrom(dtype, values);
  return createNode('buffer', [], { storage: { dtype, length: host.length, host } }, { shape, dtype });
}

function number(value: number, dtype: DType = 'float64'): Node {
  return createNode('constant', [], { value, structural: true }, { dtype });
}

function apply<O extends Op>(
  op: O,
  sources: readonly Node[],
  attributes: Attributes[O] = {} as Attributes[O],
  wanted: { shape?: Shape; dtype?: DType } = {},
): number[] {
  return [...(evaluate([createNode(op, sources, attributes, wanted)])[0] as Float64Array)];
}

describe('elementwise', () => {
  test.each([
    ['round', [0.5, 1.5, 2.5, -0.5, -1.5, 2.4, 2.6, inf, nan], [0, 2, 2, -0, -2, 2, 3, inf, nan]],
    ['sign', [-3, 0, 2, nan, -inf], [-1, 0, 1, nan, -1]],
    ['floor', [-1.5, 1.5, -inf], [-2, 1, -inf]],
    ['ceil', [-1.5, 1.5, inf], [-1, 2, inf]],
    ['sigmoid', [0, 800, -800], [0.5, 1, 0]],
    ['sqrt', [4, -1, inf], [2, nan, inf]],
    ['log', [1, 0, -1], [0, -inf, nan]],
  ] as const)('%s', (op, x, expected) => {
    expect(apply(op, [buffer(x)])).toEqual(expected);
  });

  test.each([
    ['mod', [7, -7, 7, -7, 1, 5, -5, inf], [3, 3, -3, -3, 0, inf, inf, 2], [1, 2, -2, -1, nan, 5, inf, nan]],
    [
      'floorDiv',
      [7, -7, 7, -7, 1, 5, -5, -1, inf, 0],
      [3, 3, -3, -3, 0, inf, inf, 0, 2, nan],
      [2, -3, -3, 2, inf, 0, -1, -inf, nan, nan],
    ],
    ['pow', [1, nan, -1, -8, 2, 0], [nan, 0, inf, 1 / 3, 10, -1], [1, 1, 1, nan, 1024, inf]],
    ['max', [1, nan, 3, -inf], [2, 1, nan, 0], [2, nan, nan, 0]],
    ['min', [1, nan, 3, -inf], [2, 1, nan, 0], [1, nan, nan, -inf]],
    ['div', [1, -1, 0], [0, 0, 0], [inf, -inf, nan]],
    ['equal', [1, nan, inf], [1, nan, inf], [1, 0, 1]],
    ['notEqual', [1, nan], [1, nan], [0, 1]],
    ['lessEqual', [1, nan, 2], [1, nan, 1], [1, 0, 0]],
  ] as const)('%s', (op, a, b, expected) => {
    expect(apply(op, [buffer(a), buffer(b)])).toEqual(expected);
  });

  test('whole numbers wrap, and by zero they divide to zero', () => {
    const int = (values: readonly number[]) => buffer(values, undefined, 'int32');
    expect(apply('add', [int([2147483647]), int([1])])).toEqual([-2147483648]);
    expect(apply('mul', [int([65536, -3]), int([65537, 7])])).toEqual([65536, -21]);
    expect(apply('floorDiv', [int([7, -7, 7]), int([0, 2, -2])])).toEqual([0, -4, -4]);
    expect(apply('mod', [int([7, -7, 7]), int([0, 2, -2])])).toEqual([0, 1, -1]);
    expect(apply('neg', [buffer([1, 0], undefined, 'uint32')])).toEqual([4294967295, 0]);
    expect(apply('mul', [buffer([4294967295], undefined, 'uint32'), buffer([2], undefined, 'uint32')])).toEqual([
      4294967294,
    ]);
  });

  test('casts drop fractions, saturate, wrap among whole numbers, ask for nonzero', () => {
    const floats = buffer([1.9, -1.9, nan, 1e20, -inf]);
    expect(apply('cast', [floats], {}, { dtype: 'int32' })).toEqual([1, -1, 0, 2147483647, -2147483648]);
    expect(apply('cast', [floats], {}, { dtype: 'uint32' })).toEqual([1, 0, 0, 4294967295, 0]);
    expect(apply('cast', [buffer([-1], [1], 'int32')], {}, { dtype: 'uint32' })).toEqual([4294967295]);
    expect(apply('cast', [buffer([0, 0.1, nan])], {}, { dtype: 'bool' })).toEqual([0, 1, 1]);
  });

  test('where chooses, bools combine', () => {
    const [a, b] = [buffer([1, 0, 1], [3], 'bool'), buffer([1, 1, 0], [3], 'bool')];
    expect(apply('where', [a, buffer([1, 2, 3]), buffer([4, nan, 6])])).toEqual([1, nan, 3]);
    expect(apply('max', [a, b])).toEqual([1, 1, 1]);
    expect(apply('min', [a, b])).toEqual([1, 0, 0]);
    expect(apply('not', [a])).toEqual([0, 1, 0]);
  });

  test('erf agrees with published values to 1e-15', () => {
    // Abramowitz & Stegun table 7.1 continued to 16 digits; scipy.special.erf gives the same.
    const published: readonly [number, number][] = [
      [0, 0],
      [1e-10, 1.1283791670955126e-10],
      [0.1, 0.1124629160182849],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [1.5, 0.9661051464753108],
      [2, 0.9953222650189527],
      [3, 0.9999779095030014],
      [5, 0.9999999999984626],
      [7, 1],
      [inf, 1],
    ];
    for (const [x, value] of published) {
      expect(Math.abs(erf(x) - value)).toBeLessThanOrEqual(1e-15 * value);
      expect(erf(-x) + erf(x)).toBe(0);
    }
    expect(erf(nan)).toBeNaN();
    expect(Math.abs(erf(2 - 1e-15) - erf(2))).toBeLessThan(1e-15);
  });

  test('float16 rounds ties to even, overflows, keeps subnormals', () => {
    expect([1 + 2 ** -11, 1 + 3 * 2 ** -11, 65520, 65519, 2 ** -25, 1.5 * 2 ** -24, -0.1].map(roundToHalf)).toEqual([
      1,
      1 + 2 ** -9,
      inf,
      65504,
      0,
      2 ** -23,
      -0.0999755859375,
    ]);
  });
});

describe('random bits', () => {
  // Known answers of threefry2x32 with 20 rounds, published with Random123: counter, key, output.
  test.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x243f6a88, 0x85a308d3],
      [0x13198a2e, 0x03707344],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as [[number, number], [number, number], [number, number]][])('counter %o, key %o', (counter, key, output) => {
    expect(threefry(key, counter)).toEqual(output);
  });

  test('the counter is (element, stream), the first word comes out', () => {
    const sources = [number(11, 'uint32'), number(12, 'uint32'), number(13, 'uint32')];
    const bits = apply('randomBits', sources, {}, { shape: [2, 2] });
    expect(bits).toEqual([0, 1, 2, 3].map((element) => threefry([11, 12], [element, 13])[0]));
  });
});

describe('movement', () => {
  const x = buffer([1, 2, 3, 4, 5, 6], [2, 3]);

  test('permute, expand, reshape, flip', () => {
    expect(apply('permute', [x], { order: [1, 0] })).toEqual([1, 4, 2, 5, 3, 6]);
    const deep = buffer([0, 1, 2, 3, 4, 5], [1, 2, 3]);
    const turned = createNode('permute', [deep], { order: [2, 0, 1] });
    expect(turned.shape).toEqual([3, 1, 2]);
    expect([...(evaluate([turned])[0] as Float64Array)]).toEqual([0, 3, 1, 4, 2, 5]);
    expect(apply('expand', [buffer([1, 2], [2, 1])], {}, { shape: [2, 3] })).toEqual([1, 1, 1, 2, 2, 2]);
    expect(apply('reshape', [x], {}, { shape: [3, 2] })).toEqual([1, 2, 3, 4, 5, 6]);
    expect(apply('flip', [x], { axes: [1] })).toEqual([3, 2, 1, 6, 5, 4]);
  });

  test('pad, slice, concat', () => {
    expect(apply('pad', [x], { low: [0, 1], high: [1, 0], value: 9 })).toEqual([9, 1, 2, 3, 9, 4, 5, 6, 9, 9, 9, 9]);
    expect(apply('slice', [x], { start: [1, 0], step: [1, 2] }, { shape: [1, 2] })).toEqual([4, 6]);
    expect(apply('concat', [x, buffer([7, 8], [2, 1])], { axis: 1 })).toEqual([1, 2, 3, 7, 4, 5, 6, 8]);
    expect(apply('concat', [x, buffer([7, 8, 9], [1, 3])], { axis: 0 })).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('gather reads 0 out of range; scatterAdd drops, and sums duplicates', () => {
    const indices = buffer([1, -1, 0, 5], [2, 2], 'int32');
    expect(apply('gather', [x, indices], { axis: 0 })).toEqual([4, 5, 6, 0, 0, 0, 1, 2, 3, 0, 0, 0]);
    expect(apply('gather', [x, buffer([2, 3], [2], 'int32')], { axis: 1 })).toEqual([3, 0, 6, 0]);
    const rows = buffer([1, 1, 7, -1], [4], 'int32');
    const updates = buffer([1, 10, 100, 1000, 2, 20, 200, 2000], [2, 4]);
    expect(apply('scatterAdd', [x, rows, updates], { axis: 1 })).toEqual([1, 13, 3, 4, 27, 6]);
  });

  test('iota', () => {
    expect(apply('iota', [], { axis: 0 }, { shape: [2, 2] })).toEqual([0, 0, 1, 1]);
    expect(apply('iota', [], { axis: 1 }, { shape: [2, 2] })).toEqual([0, 1, 0, 1]);
  });
});

describe('reductions', () => {
  const x = buffer([1, 2, 3, 4, 5, 6], [2, 3]);

  test('sum, prod, max, min', () => {
    expect(apply('reduce', [x], { kind: 'sum', axes: [0] })).toEqual([5, 7, 9]);
    expect(apply('reduce', [x], { kind: 'prod', axes: [1] })).toEqual([6, 120]);
    expect(apply('reduce', [x], { kind: 'max', axes: [0, 1] })).toEqual([6]);
    expect(apply('reduce', [buffer([1, nan, 0])], { kind: 'min', axes: [0] })).toEqual([nan]);
  });

  test('of nothing', () => {
    const empty = buffer([], [0, 2]);
    expect(apply('reduce', [empty], { kind: 'sum', axes: [0] })).toEqual([0, 0]);
    expect(apply('reduce', [empty], { kind: 'prod', axes: [0] })).toEqual([1, 1]);
    expect(apply('reduce', [empty], { kind: 'max', axes: [1] })).toEqual([]);
    expect(() => apply('reduce', [empty], { kind: 'max', axes: [0] })).toThrow('has no value over an empty axis');
  });

  test('scan both ways along either axis', () => {
    expect(apply('scan', [x], { kind: 'sum', axis: 1, reverse: false })).toEqual([1, 3, 6, 4, 9, 15]);
    expect(apply('scan', [x], { kind: 'sum', axis: 1, reverse: true })).toEqual([6, 5, 3, 15, 11, 6]);
    expect(apply('scan', [x], { kind: 'prod', axis: 0, reverse: false })).toEqual([1, 2, 3, 4, 10, 18]);
    expect(apply('scan', [x], { kind: 'max', axis: 0, reverse: true })).toEqual([4, 5, 6, 4, 5, 6]);
  });
});

describe('contractions', () => {
  const plain = {
    stride: [1],
    padding: [[0, 0]],
    dilation: [1],
    inputDilation: [1],
    groups: 1,
    role: 'forward',
  } as const;

  test('batched matmul', () => {
    const a = buffer([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]);
    const b = buffer([1, 0, 0, 1, 0, 1, 1, 0], [2, 2, 2]);
    expect(apply('matmul', [a, b])).toEqual([1, 2, 3, 4, 6, 5, 8, 7]);
    expect(apply('matmul', [buffer([], [2, 0]), buffer([], [0, 2])])).toEqual([0, 0, 0, 0]);
  });

  test('one-dimensional convolutions', () => {
    const x = buffer([1, 2, 3, 4], [1, 1, 4]);
    const w = buffer([1, 10], [1, 1, 2]);
    expect(apply('conv', [x, w], plain)).toEqual([21, 32, 43]);
    expect(apply('conv', [x, w], { ...plain, padding: [[1, 2]] })).toEqual([10, 21, 32, 43, 4, 0]);
    expect(apply('conv', [x, w], { ...plain, padding: [[-1, 0]] })).toEqual([32, 43]);
    expect(apply('conv', [x, w], { ...plain, stride: [2] })).toEqual([21, 43]);
    expect(apply('conv', [x, w], { ...plain, dilation: [2] })).toEqual([31, 42]);
    expect(apply('conv', [x, w], { ...plain, inputDilation: [2] })).toEqual([1, 20, 2, 30, 3, 40]);
  });

  test('groups keep their channels apart', () => {
    const x = buffer([1, 2, 3, 4], [1, 4, 1]);
    const w = buffer([1, 10, 100, 1000], [2, 2, 1]);
    expect(apply('conv', [x, w], { ...plain, groups: 2 })).toEqual([21, 4300]);
  });

  test('two dimensions, batch and several channels', () => {
    // 2 images, 2 channels, 2x2; the weight sums channel 0 and takes ten times the last pixel of channel 1.
    const x = buffer([1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 1, 1, 2, 2, 2, 2], [2, 2, 2, 2]);
    const w = buffer([1, 1, 1, 1, 0, 0, 0, 10], [1, 2, 2, 2]);
    const two = { stride: [1, 1], padding: [[0, 0], [0, 0]], dilation: [1, 1], inputDilation: [1, 1], groups: 1, role: 'forward' } as const; // biome-ignore format: one line
    expect(apply('conv', [x, w], two)).toEqual([90, 24]);
  });
});

describe('evaluate', () => {
  const identity = { id: 1, path: 'weight' };

  test('follows pending cells, or asks for their values', () => {
    const cell = createNode('cell', [buffer([1, 2])], { cell: identity, version: 1 }, { shape: [2], dtype: 'float64' });
    const doubled = createNode('add', [cell, cell], {});
    expect([...(evaluate([doubled])[0] as Float64Array)]).toEqual([2, 4]);
    const known = evaluate([doubled], { leafValue: (node) => (node.op === 'cell' ? [5, 6] : undefined) });
    expect([...(known[0] as Float64Array)]).toEqual([10, 12]);
    const committed = createNode('cell', [], { cell: identity, version: 0 }, { shape: [2], dtype: 'float64' });
    expect(() => evaluate([committed])).toThrow('Pass leafValue');
  });

  test('rounds only when asked', () => {
    const third = createNode('div', [number(1, 'float32'), number(3, 'float32')], {});
    expect(evaluate([third])[0]?.[0]).toBe(1 / 3);
    expect(evaluate([third], { round: 'float32' })[0]?.[0]).toBe(Math.fround(1 / 3));
    expect(evaluate([number(0.1, 'float32')])[0]?.[0]).toBe(Math.fround(0.1));
  });

  test('arguments and host steps', async () => {
    const argument = createNode('argument', [], { index: 0 }, { dtype: 'float32' });
    expect(evaluate([argument], { argumentValue: () => 7 })[0]?.[0]).toBe(7);
    const run = async ([x]: readonly ArrayLike<number>[]) => hostArrayFrom('float64', [(x?.[0] as number) + 1]);
    const host = createNode('host', [number(1)], { name: 'increment', run }, { shape: [1], dtype: 'float64' });
    expect((await evaluateAsync([host]))[0]?.[0]).toBe(2);
    expect(() => evaluate([host])).toThrow('evaluateAsync');
  });
});
