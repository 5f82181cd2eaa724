import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNode } from '../src/graph/primitives.ts';
import {
  averagePool2d,
  concat,
  conv,
  conv2d,
  convTranspose2d,
  einsum,
  grad,
  maxPool2d,
  setDevelopmentMode,
  split,
  stack,
  Tensor,
  tensor,
  vjp,
  where,
} from '../src/index.ts';
import { gradcheck, gradgradcheck } from '../src/testing/gradcheck.ts';
import { of, sample, values } from './values.ts';

type F64 = Tensor<'float64'>;

/** A differentiable function with inputs away from its kinks. */
interface Case {
  readonly fn: (...inputs: F64[]) => Tensor;
  readonly inputs: F64[];
}

const x = sample([2, 3], 1);
const y = sample([2, 3], 2);
const row = sample([3], 3);
const positive = of('float64', values(x.square().add(0.1)), [2, 3]);

const one = (fn: (x: F64) => Tensor, input: F64 = x): Case => ({ fn, inputs: [input] });
const two = (fn: (a: F64, b: F64) => Tensor, a: F64 = x, b: F64 = y): Case => ({ fn, inputs: [a, b] });

const cases: Record<string, Case> = {
  neg: one((a) => a.neg()),
  abs: one((a) => a.abs()),
  'sign, floor, ceil, round have none': one((a) => a.sign().add(a.floor()).add(a.ceil()).add(a.round()).add(a)),
  exp: one((a) => a.exp()),
  log: one((a) => a.log(), positive),
  sqrt: one((a) => a.sqrt(), positive),
  rsqrt: one((a) => a.rsqrt(), positive),
  square: one((a) => a.square()),
  reciprocal: one((a) => a.reciprocal()),
  sin: one((a) => a.sin()),
  cos: one((a) => a.cos()),
  tanh: one((a) => a.tanh()),
  erf: one((a) => a.erf()),
  sigmoid: one((a) => a.sigmoid()),
  silu: one((a) => a.silu()),
  relu: one((a) => a.relu()),
  gelu: one((a) => a.gelu()),
  clip: one((a) => a.clip(-1, 0.5)),
  add: two((a, b) => a.add(b)),
  'add, broadcast': two((a, b) => a.add(b), x, row),
  sub: two((a, b) => a.sub(b)),
  mul: two((a, b) => a.mul(b)),
  'mul, broadcast both ways': two((a, b) => a.mul(b), sample([2, 1], 4), row),
  div: two((a, b) => a.div(b)),
  mod: two((a, b) => a.mod(b), sample([5], 3), sample([5], 4)),
  pow: two((a, b) => a.pow(b), positive, y),
  'pow by a number': one((a) => a.pow(3).add(a.pow(2)).add(a.pow(-1))),
  maximum: two((a, b) => a.maximum(b)),
  minimum: two((a, b) => a.minimum(b)),
  where: two((a, b) => where(a.less(b), a.square(), b)),
  sum: one((a) => a.sum(0)),
  mean: one((a) => a.mean([0, 1], { keepAxes: true })),
  var: one((a) => a.var(1, { correction: 1 })),
  std: one((a) => a.std(0)),
  norm: one((a) => a.norm(1)),
  max: one((a) => a.max(1)),
  min: one((a) => a.min()),
  prod: one((a) => a.prod(1)),
  'prod over two axes apart': one((a) => a.prod([0, 2]), sample([2, 2, 3], 5)),
  'prod with zeros': one((a) => a.prod(1), of('float64', [0, 2, 3, 0, 0, 4], [2, 3])),
  logsumexp: one((a) => a.logsumexp(1)),
  softmax: one((a) => a.softmax(0)),
  logSoftmax: one((a) => a.logSoftmax()),
  cumsum: one((a) => a.cumsum(0)),
  cumprod: one((a) => a.cumprod(0)),
  'cumprod with zeros': one((a) => a.cumprod(1), of('float64', [2, 0, 3, 0, 0, 4], [2, 3])),
  matmul: two((a, b) => a.matmul(b), x, sample([3, 4], 3)),
  'matmul of a batch and a matrix': two((a, b) => a.matmul(b), sample([2, 2, 3], 3), sample([3, 2], 4)),
  'matmul, broadcast batches': two((a, b) => a.matmul(b), sample([2, 1, 2, 2], 3), sample([3, 2, 2], 4)),
  'matmul of vectors': two((a, b) => a.matmul(b), row, sample([3], 5)),
  dot: two((a, b) => a.dot(b), x, sample([2, 3, 2], 5)),
  einsum: two((a, b) => einsum('bij,bkj->kib', a, b), sample([2, 2, 3], 3), sample([2, 2, 3], 4)),
  'einsum of a diagonal': one((a) => einsum('ii->i', a), sample([3, 3], 3)),
  conv2d: two((a, w) => conv2d(a, w, { padding: 1 }), sample([2, 2, 3, 4], 1), sample([3, 2, 3, 3], 2)),
  'conv2d, strides that do not divide': two(
    (a, w) => conv2d(a, w, { stride: [2, 3], padding: [[1, 0], [2, 1]], dilation: [2, 1] }), // biome-ignore format: one line
    sample([1, 2, 6, 5], 1),
    sample([2, 2, 2, 2], 2),
  ),
  'conv2d in groups': two(
    (a, w) => conv2d(a, w, { stride: 2, padding: 1, groups: 2 }),
    sample([2, 4, 4, 3], 1),
    sample([4, 2, 3, 2], 2),
  ),
  'conv2d for each channel': two(
    (a, w) => conv2d(a, w, { groups: 3 }),
    sample([1, 3, 3, 3], 1),
    sample([3, 1, 2, 2], 2),
  ),
  'conv in one dimension': two((a, w) => conv(a, w, { stride: 3 }), sample([2, 1, 8], 1), sample([2, 1, 3], 2)),
  'conv with padding wider than the kernel': two(
    (a, w) => conv(a, w, { padding: [[3, 2]] }),
    sample([1, 1, 3], 1),
    sample([1, 1, 2], 2),
  ),
  convTranspose2d: two(
    (a, w) => convTranspose2d(a, w, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
    sample([1, 2, 3, 2], 1),
    sample([2, 2, 3, 3], 2),
  ),
  'averagePool2d, side by side': one((a) => averagePool2d(a, 2), sample([1, 2, 4, 4], 3)),
  'averagePool2d, overlapping': one((a) => averagePool2d(a, 2, { stride: 1, padding: 1 }), sample([1, 1, 3, 3], 3)),
  'maxPool2d, side by side': one((a) => maxPool2d(a, 2), sample([1, 2, 4, 4], 3)),
  'maxPool2d, overlapping': one((a) => maxPool2d(a, 3, { stride: 2, padding: 1 }), sample([1, 1, 4, 4], 3)),
  reshape: one((a) => a.reshape(3, 2).mul(row.unsqueeze(1))),
  permute: one((a) => a.permute(2, 0, 1), sample([2, 3, 2], 3)),
  expand: one((a) => a.expand([4, -1, 3]), sample([2, 1], 3)),
  'squeeze and unsqueeze': one((a) => a.unsqueeze(1).squeeze().unsqueeze(0)),
  pad: one((a) => a.pad([[1, 2], [0, 1]], 3)), // biome-ignore format: one line
  slice: one((a) => a.slice([1, 7, 3], [null, null, -2]), sample([8, 4], 3)),
  'slice of nothing': one((a) => a.slice([1, 1]).sum().add(a.sum())),
  at: one((a) => a.at(-1, 1)),
  flip: one((a) => a.flip(1)),
  concat: two((a, b) => concat([a, b, a], 1)),
  stack: two((a, b) => stack([a, b], 1)),
  split: one((a) => {
    const [left, right] = split(a, [1, 2], 1) as [Tensor, Tensor];
    return left.mul(right);
  }),
  gather: one((a) => a.gather(of('int32', [2, 0, 2, 5, -1]), 1)),
  'gather with a matrix of indices': one((a) => a.gather(of('int32', [1, 0, 1, 1], [2, 2]), 0)),
  takeAlongAxis: one((a) => a.takeAlongAxis(of('int32', [2, 2, 0, 1], [2, 2]), 1)),
  scatterAdd: two((a, b) => a.scatterAdd(of('int32', [1, 1, 7]), b, 0), x, sample([3, 3], 3)),
  tril: one((a) => a.tril()),
  triu: one((a) => a.triu(1)),
};

describe('gradients equal differences, once and twice', () => {
  test.each(Object.entries(cases))('%s', async (_name, { fn, inputs }) => {
    await gradcheck(fn, inputs);
    await gradgradcheck(fn, inputs);
  });

  test('of running extremes, in both directions', async () => {
    for (const kind of ['max', 'min', 'prod'] as const) {
      for (const reverse of [false, true]) {
        const fn = (a: Tensor) => new Tensor(createNode('scan', [a.node], { kind, axis: 1, reverse }));
        await gradcheck(fn, [sample([2, 5], 7)]);
      }
    }
  });
});

describe('gradients computed by plans equal the reference', () => {
  beforeAll(() => setDevelopmentMode(false));
  afterAll(() => setDevelopmentMode(true));

  test.each(Object.entries(cases))('%s', async (_name, { fn, inputs }) => {
    const y = fn(...inputs);
    const slopes: Tensor[] = grad(y.square().sum(), inputs);
    const total = slopes.reduce((sum, slope) => sum.add(slope.square().sum()), y.sum());
    for (const result of [y, ...slopes, ...grad(total, inputs)]) {
      const got = await result.data();
      values(result).forEach((value, i) => {
        expect(got[i]).toBeCloseTo(value, 8);
      });
    }
  });
});

describe('where functions have kinks', () => {
  const slope = (fn: (x: Tensor) => Tensor, at: number[]) => {
    const input = of('float64', at);
    return values(grad(fn(input).sum(), input));
  };

  test('abs and relu take 0 at 0', () => {
    expect(slope((a) => a.abs(), [-1, 0, 1])).toEqual([-1, 0, 1]);
    expect(slope((a) => a.relu(), [-1, 0, 1])).toEqual([0, 0, 1]);
  });

  test('equal sides share', () => {
    const [a, b] = [of('float64', [1, 2, 3]), of('float64', [2, 2, 2])];
    const both = grad(a.maximum(b).sum(), [a, b]).map(values);
    expect(both).toEqual([[0, 0.5, 1], [1, 0.5, 0]]); // biome-ignore format: one line
    expect(slope((a) => a.max(), [3, 1, 3, 3])).toEqual([1 / 3, 0, 1 / 3, 1 / 3]);
    expect(slope((a) => a.min(), [0, 0])).toEqual([0.5, 0.5]);
  });

  test('clip passes gradients on its bounds', () => {
    expect(slope((a) => a.clip(-1, 1), [-2, -1, 0, 1, 2])).toEqual([0, 1, 1, 1, 0]);
  });

  test('sqrt is infinitely steep at 0', () => {
    expect(slope((a) => a.sqrt(), [0, 4])).toEqual([Number.POSITIVE_INFINITY, 0.25]);
  });

  test('powers at 0 are no NaN', () => {
    expect(slope((a) => a.pow(3), [0])).toEqual([0]);
    expect(slope((a) => a.pow(0), [0, 2])).toEqual([0, 0]);
    const exponent = of('float64', [2, 0.5]);
    expect(values(grad(of('float64', [0, 0]).pow(exponent).sum(), exponent))).toEqual([0, 0]);
  });

  test('what is not chosen sends nothing back, not even NaN', () => {
    const input = of('float64', [0, 4]);
    const safe = where(input.equal(0), 1, input);
    expect(values(grad(where(input.equal(0), 0, safe.log()).sum(), input))).toEqual([0, 0.25]);
  });
});

test('empty tensors have empty gradients', () => {
  for (const fn of [
    (a: Tensor) => a.sum(),
    (a: Tensor) => a.prod(),
    (a: Tensor) => a.slice([null, null, 2]).sum(),
    (a: Tensor) => a.softmax().sum(),
    (a: Tensor) => a.matmul(tensor(new Float64Array(6), { shape: [3, 2] })).sum(),
  ]) {
    const empty = tensor(new Float64Array(0), { shape: [0, 3] });
    const gradient = grad(fn(empty), empty);
    expect(gradient.shape).toEqual([0, 3]);
    expect(values(gradient)).toEqual([]);
  }
  const images = tensor(new Float64Array(0), { shape: [0, 2, 4, 4] });
  const kernels = sample([3, 2, 3, 3]);
  const both = vjp(
    [conv2d(images, kernels)],
    [tensor(new Float64Array(0), { shape: [0, 3, 2, 2] })],
    [images, kernels],
  );
  expect(both.map(({ shape }) => shape)).toEqual([images.shape, kernels.shape]);
  expect(values(both[1]!).every((value) => value === 0)).toBe(true);
});
