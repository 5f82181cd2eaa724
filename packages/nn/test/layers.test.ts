import { Generator, type Tensor, tensor, zeros } from '@evenkeel/tensor';
import { gradcheck, guardLeaks } from '@evenkeel/tensor/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Conv2d,
  ConvTranspose2d,
  Dropout,
  Embedding,
  GELU,
  GroupNorm,
  LayerNorm,
  Linear,
  type Module,
  MultiHeadAttention,
  type Parameter,
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  scaledDotProductAttention,
  Tanh,
  withGenerator,
} from '../src/index.ts';

guardLeaks({ beforeEach, afterEach });

const generator = () => new Generator(11);
const float64 = () => ({ dtype: 'float64', generator: generator() }) as const;
const draw = (shape: number[], seed = 3) => new Generator(seed).normal(shape, { dtype: 'float64' });
const indices = (n: number) => Array.from({ length: n }, (_, index) => index);
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

async function expectClose(actual: Tensor, expected: number[], tolerance = 1e-12): Promise<void> {
  const values = await actual.data();
  expect(values.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs((values[i] as number) - value)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(value)));
  });
}

/** gradcheck by the inputs and by every Parameter of `layer`, whose values the check replaces. */
async function gradcheckLayer<M extends Module>(
  layer: M,
  forward: (layer: M, ...inputs: Tensor[]) => Tensor,
  inputs: Tensor[],
): Promise<void> {
  const parameters = layer.parameters();
  const count = inputs.length;
  const withValues = (...given: Tensor[]): Tensor => {
    parameters.forEach((parameter: Parameter, i) => {
      Object.defineProperty(parameter, 'value', { configurable: true, get: () => given[count + i] });
    });
    try {
      return forward(layer, ...given.slice(0, count));
    } finally {
      for (const parameter of parameters) Reflect.deleteProperty(parameter, 'value');
    }
  };
  await gradcheck(withValues, [...inputs, ...parameters.map((parameter) => parameter.value)]);
}

describe('Linear', () => {
  it('is x W^T + b over the last axis', async () => {
    using layer = new Linear(3, 2);
    layer.loadStateDict({
      weight: tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      bias: tensor([10, 20]),
    });
    expect(await layer.call(tensor([[[1, 0, -1]], [[1, 1, 1]]])).array()).toEqual([[[8, 18]], [[16, 35]]]);
    using plain = new Linear(3, 2, { bias: false });
    expect([...plain.stateDict().keys()]).toEqual(['weight']);
  });

  it('starts uniform within 1 / sqrt(in)', async () => {
    using layer = new Linear(100, 200, { generator: generator() });
    for (const values of [await layer.weight.value.data(), (await layer.bias?.value.data()) as Float32Array]) {
      expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.1);
      expect(Math.max(...values)).toBeGreaterThan(0.095);
      // Five standard errors of a uniform's second moment, 1/3 +- sqrt(4/45).
      const moment = sum([...values].map((value) => (value * 10) ** 2)) / values.length;
      expect(Math.abs(moment - 1 / 3)).toBeLessThan(5 * Math.sqrt(4 / 45 / values.length));
    }
  });

  it('has the gradient of its forward', async () => {
    using layer = new Linear(3, 2, float64());
    await gradcheckLayer(layer, (l, x) => l.call(x as Tensor), [draw([2, 2, 3])]);
  });

  it('refuses sizes that are none', () => {
    expect(() => new Linear(0, 2)).toThrow('Linear: inFeatures must be a whole number of at least 1, got 0');
  });
});

describe('Conv2d', () => {
  it('correlates, strides, pads, dilates and groups as its loops say', async () => {
    using layer = new Conv2d(4, 6, [3, 2], { ...float64(), stride: 2, padding: [2, 1], dilation: [1, 2], groups: 2 });
    const x = draw([2, 4, 7, 6]);
    const [xs, ws, bs] = [await x.data(), await layer.weight.value.data(), await layer.bias?.value.data()];
    const [height, width] = [5, 3];
    const expected: number[] = [];
    for (const n of indices(2)) {
      for (const o of indices(6)) {
        for (const i of indices(height)) {
          for (const j of indices(width)) {
            let total = bs?.[o] as number;
            for (const c of indices(2)) {
              for (const u of indices(3)) {
                for (const v of indices(2)) {
                  const [row, column] = [2 * i + u - 2, 2 * j + 2 * v - 1];
                  if (row < 0 || row >= 7 || column < 0 || column >= 6) continue;
                  const channel = 2 * Math.floor(o / 3) + c;
                  total +=
                    (xs[((n * 4 + channel) * 7 + row) * 6 + column] as number) *
                    (ws[((o * 2 + c) * 3 + u) * 2 + v] as number);
                }
              }
            }
            expected.push(total);
          }
        }
      }
    }
    const y = layer.call(x);
    expect(y.shape).toEqual([2, 6, height, width]);
    await expectClose(y, expected);
  });

  it('has the gradient of its forward', async () => {
    using layer = new Conv2d(2, 3, 3, { ...float64(), padding: 'same' });
    await gradcheckLayer(layer, (l, x) => l.call(x as Tensor), [draw([1, 2, 3, 4])]);
  });

  it('refuses groups that do not divide', () => {
    expect(() => new Conv2d(4, 6, 3, { groups: 3 })).toThrow('Conv2d: inChannels 4 does not divide into 3 groups');
  });
});

describe('ConvTranspose2d', () => {
  it('is the transpose: <conv(x), y> = <x, transposed(y)>', async () => {
    const options = { stride: 2, padding: 1, groups: 2, bias: false, ...float64() };
    using down = new Conv2d(4, 6, 3, options);
    using up = new ConvTranspose2d(6, 4, 3, { ...options, outputPadding: 1 });
    up.loadStateDict(down.stateDict());
    const [x, y] = [draw([2, 4, 6, 6]), draw([2, 6, 3, 3], 4)];
    const there = await down.call(x).mul(y).sum().item();
    const back = up.call(y);
    expect(back.shape).toEqual(x.shape);
    expect(await back.mul(x).sum().item()).toBeCloseTo(there, 10);
  });

  it('has the gradient of its forward', async () => {
    using layer = new ConvTranspose2d(2, 3, 2, { ...float64(), stride: 2 });
    await gradcheckLayer(layer, (l, x) => l.call(x as Tensor), [draw([1, 2, 2, 2])]);
  });
});

describe('GroupNorm and LayerNorm', () => {
  it('normalize what they say', async () => {
    using group = new GroupNorm(2, 4, { dtype: 'float64' });
    using layer = new LayerNorm([3, 2], { dtype: 'float64' });
    const weights = tensor([1, 2, 3, 4], { dtype: 'float64' });
    group.loadStateDict({ weight: weights, bias: weights.neg() });
    const x = draw([2, 4, 3, 2]);
    const values = [...(await x.data())];
    const standardized = (block: number[]) => {
      const mean = sum(block) / block.length;
      const variance = sum(block.map((value) => (value - mean) ** 2)) / block.length;
      return block.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
    };
    const blocks = (size: number) =>
      indices(values.length / size).flatMap((i) => standardized(values.slice(i * size, i * size + size)));
    const scaled = blocks(12).map((value, i) => (value - 1) * ((Math.floor(i / 6) % 4) + 1));
    await expectClose(group.call(x), scaled);
    await expectClose(layer.call(x), blocks(6));
    expect(() => group.call(draw([2, 3, 4]))).toThrow('GroupNorm: wants [N, 4, ...], got x of shape [2, 3, 4]');
    expect(() => layer.call(draw([2, 3]))).toThrow('LayerNorm: wants [..., 3, 2], got x of shape [2, 3]');
  });

  it('have the gradients of their forwards', async () => {
    using group = new GroupNorm(2, 4, { dtype: 'float64' });
    await gradcheckLayer(group, (l, x) => l.call(x as Tensor), [draw([2, 4, 3])]);
    using layer = new LayerNorm(3, { dtype: 'float64' });
    await gradcheckLayer(layer, (l, x) => l.call(x as Tensor), [draw([2, 3])]);
  });
});

describe('Embedding', () => {
  it('looks rows up, zeros outside of the table', async () => {
    using table = new Embedding(3, 2);
    table.loadStateDict({
      weight: tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
    });
    const y = table.call(
      tensor(
        [
          [2, 0],
          [1, 3],
        ],
        { dtype: 'int32' },
      ),
    );
    expect(await y.array()).toEqual([
      [
        [5, 6],
        [1, 2],
      ],
      [
        [3, 4],
        [0, 0],
      ],
    ]);
    expect(() => table.call(tensor([1]))).toThrow('Embedding: wants integer indices, got float32');
  });

  it('sums the gradients of a row that is read twice', async () => {
    using table = new Embedding(3, 2, float64());
    await gradcheckLayer(table, (l) => l.call(tensor([1, 1, 2], { dtype: 'int32' })).square(), []);
  });
});

describe('Dropout', () => {
  it('zeroes with its probability, keeps the mean, draws anew', async () => {
    const drop = new Dropout(0.25, { generator: generator() });
    const x = tensor(new Float32Array(10_000).fill(3));
    const [first, second] = [await drop.call(x).data(), await drop.call(x).data()];
    expect([...new Set(first)].sort()).toEqual([0, 4]);
    const dropped = first.filter((value) => value === 0).length;
    expect(Math.abs(dropped - 2500)).toBeLessThan(5 * Math.sqrt(10_000 * 0.25 * 0.75));
    expect(second).not.toEqual(first);
  });

  it('is the identity in evaluation, and at probability 0', () => {
    const x = draw([3]);
    expect(new Dropout(0.5).eval().call(x)).toBe(x);
    expect(new Dropout(0).call(x)).toBe(x);
    expect(() => new Dropout(1)).toThrow('Dropout: probability must be at least 0 and below 1, got 1');
  });

  it('draws from withGenerator, unless it has a generator of its own', async () => {
    const x = tensor(new Float32Array(64).fill(1));
    const own = new Dropout(0.5, { generator: generator() });
    const within = (layer: Dropout) => withGenerator(new Generator(4), () => layer.call(x)).data();
    const first = await within(new Dropout(0.5));
    new Dropout(0.5).call(x);
    expect(await within(new Dropout(0.5))).toEqual(first);
    expect(await within(own)).not.toEqual(await within(own));
    expect(() =>
      withGenerator(new Generator(4), () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(await new Dropout(0.5).call(x).data()).not.toEqual(first);
  });

  it('drops values of any float dtype', async () => {
    const drop = new Dropout(0.5, { generator: generator() });
    const values = await drop.call(tensor(new Float64Array(64).fill(1))).data();
    expect([...new Set(values)].sort()).toEqual([0, 2]);
  });
});

describe('attention', () => {
  /** softmax(q k^T / sqrt(E)) v for one head, where `looks(l, s)`. */
  function attend(q: number[][], k: number[][], v: number[][], looks: (l: number, s: number) => boolean): number[][] {
    return q.map((query, l) => {
      const scores = k.map((key, s) =>
        looks(l, s) ? Math.exp(sum(query.map((a, i) => a * (key[i] as number))) / Math.sqrt(query.length)) : 0,
      );
      return (v[0] as number[]).map((_, c) => sum(scores.map((p, s) => p * (v[s]?.[c] as number))) / sum(scores));
    });
  }

  it('weighs values by softmaxed products, masked and causal where told', async () => {
    const [q, k, v] = [draw([3, 4]), draw([5, 4], 4), draw([5, 2], 5)];
    const [qs, ks, vs] = (await Promise.all([q, k, v].map((x) => x.array()))) as number[][][];
    const looks = (l: number, s: number) => (l + s) % 3 !== 0;
    const mask = tensor(indices(3).map((l) => indices(5).map((s) => looks(l, s))));
    const expected = (by: (l: number, s: number) => boolean) =>
      attend(qs as number[][], ks as number[][], vs as number[][], by).flat();
    await expectClose(
      scaledDotProductAttention(q, k, v),
      expected(() => true),
    );
    await expectClose(scaledDotProductAttention(q, k, v, { mask }), expected(looks));
    await expectClose(
      scaledDotProductAttention(q, k, v, { causal: true }),
      expected((l, s) => s <= l),
    );
    await expectClose(
      scaledDotProductAttention(q.mul(0.5), k, v, { scale: 1 }),
      expected(() => true),
    );
  });

  it('has the gradient of its forward', async () => {
    await gradcheck(
      (q, k, v) => scaledDotProductAttention(q, k, v, { causal: true }),
      [draw([2, 3, 2]), draw([2, 3, 2], 4), draw([2, 3, 2], 5)],
    );
    using layer = new MultiHeadAttention(4, 2, float64());
    await gradcheckLayer(layer, (l, x) => l.call(x as Tensor), [draw([2, 3, 4])]);
  });

  it('takes batches and sequences of none', () => {
    using layer = new MultiHeadAttention(4, 2);
    expect(layer.call(zeros([0, 3, 4])).shape).toEqual([0, 3, 4]);
    expect(layer.call(zeros([2, 0, 4])).shape).toEqual([2, 0, 4]);
  });

  it('in heads, equals attention on slices of the projections, with the names of PyTorch', async () => {
    using layer = new MultiHeadAttention(4, 2, float64());
    expect([...layer.stateDict()].map(([name, value]) => [name, value.shape])).toEqual([
      ['in_proj_weight', [12, 4]],
      ['in_proj_bias', [12]],
      ['out_proj.weight', [4, 4]],
      ['out_proj.bias', [4]],
    ]);
    const [x, memory] = [draw([1, 3, 4]), draw([1, 5, 4], 6)];
    const weight = layer.inProjectionWeight.value;
    const project = (source: Tensor, from: number) =>
      source.reshape(-1, 4).matmul(weight.slice([from, from + 2]).transpose());
    const heads = [0, 2].map((head) =>
      scaledDotProductAttention(project(x, head), project(memory, 4 + head), project(memory, 8 + head)),
    );
    const out = layer.outProjection.weight.value;
    const expected = (heads[0] as Tensor)
      .matmul(out.slice(null, [0, 2]).transpose())
      .add((heads[1] as Tensor).matmul(out.slice(null, [2, 4]).transpose()));
    await expectClose(layer.call(x, memory), [...(await expected.data())]);
    expect(() => new MultiHeadAttention(5, 2)).toThrow(
      'MultiHeadAttention: features 5 does not divide into 2 heads. Choose a divisor of 5',
    );
  });
});

describe('Sequential', () => {
  it('runs layers in order', async () => {
    using model = new Sequential(new Linear(1, 1, { bias: false }), new ReLU(), new Tanh());
    model.loadStateDict({ '0.weight': tensor([[2]]) });
    await expectClose(model.call(tensor([[-1], [0.25]])), [0, Math.tanh(0.5)], 1e-6);
    const activations = [new SiLU(), new GELU(), new Sigmoid()].map((layer) => layer.call(tensor([0.5])));
    const sigmoid = 1 / (1 + Math.exp(-0.5));
    const gelu = 0.5 * 0.691462461274013;
    for (const [i, expected] of [0.5 * sigmoid, gelu, sigmoid].entries()) {
      await expectClose(activations[i] as Tensor, [expected], 1e-6);
    }
  });
});
