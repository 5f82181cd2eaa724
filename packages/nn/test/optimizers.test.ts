import { commit, Generator, type Tensor, tensor, zeros } from '@evenkeel/tensor';
import { guardLeaks } from '@evenkeel/tensor/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Adam,
  AdamW,
  clipGradNorm,
  clipGradValue,
  GradientAccumulator,
  Linear,
  type Optimizer,
  Parameter,
  SGD,
} from '../src/index.ts';
import { referenceAdam, referenceSGD, type ScalarOptimizer } from './reference.ts';

guardLeaks({ beforeEach, afterEach });

const starts = [0.5, -1.5, 2, 1e-3];
/** Gradients of uneven size, sign and rhythm; a zero among them. */
const gradientAt = (step: number, index: number) =>
  index === 3 && step === 2 ? 0 : Math.sin(1.7 * step + index) * 10 ** (index - 2);
const rateAt = (step: number) => (step === 0 ? 0 : 0.1 / step);

/** Largest deviation from the reference over `steps`, relative to the largest weight. */
async function deviation(
  make: (parameters: Parameter[]) => Optimizer,
  reference: () => ScalarOptimizer,
  dtype: 'float32' | 'float64',
  steps: number,
): Promise<number> {
  using parameter = new Parameter(tensor(starts, { dtype }));
  using optimizer = make([parameter]);
  const references = starts.map(reference);
  let expected = [...starts];
  let worst = 0;
  for (let step = 0; step < steps; step++) {
    const gradients = starts.map((_, index) => gradientAt(step, index));
    optimizer.step([tensor(gradients, { dtype })], { learningRate: rateAt(step) });
    expected = expected.map((w, i) => (references[i] as ScalarOptimizer)(w, gradients[i] as number, rateAt(step)));
    const actual = await parameter.value.data();
    expected.forEach((value, i) => {
      worst = Math.max(worst, Math.abs((actual[i] as number) - value) / Math.max(1, Math.abs(value)));
    });
  }
  return worst;
}

const betas = [0.9, 0.99] as const;
const cases: [string, (p: Parameter[]) => Optimizer, () => ScalarOptimizer][] = [
  ['SGD', (p) => new SGD(p), () => referenceSGD({ momentum: 0, nesterov: false, weightDecay: 0 })],
  [
    'SGD with momentum and weight decay',
    (p) => new SGD(p, { momentum: 0.9, weightDecay: 0.1 }),
    () => referenceSGD({ momentum: 0.9, nesterov: false, weightDecay: 0.1 }),
  ],
  [
    'SGD with Nesterov momentum',
    (p) => new SGD(p, { momentum: 0.8, nesterov: true }),
    () => referenceSGD({ momentum: 0.8, nesterov: true, weightDecay: 0 }),
  ],
  [
    'Adam',
    (p) => new Adam(p, { betas }),
    () => referenceAdam({ betas, epsilon: 1e-8, weightDecay: 0, decoupled: false }),
  ],
  [
    'Adam with the default betas, L2 weight decay and a large epsilon',
    (p) => new Adam(p, { weightDecay: 0.3, epsilon: 0.1 }),
    () => referenceAdam({ betas: [0.9, 0.999], epsilon: 0.1, weightDecay: 0.3, decoupled: false }),
  ],
  [
    'AdamW',
    (p) => new AdamW(p, { weightDecay: 0.2, betas }),
    () => referenceAdam({ betas, epsilon: 1e-8, weightDecay: 0.2, decoupled: true }),
  ],
  [
    'AdamW with its default decay',
    (p) => new AdamW(p),
    () => referenceAdam({ betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.01, decoupled: true }),
  ],
];

describe.each(cases)('%s', (_, make, reference) => {
  it('follows its formula', async () => {
    expect(await deviation(make, reference, 'float64', 12)).toBeLessThan(1e-12);
    expect(await deviation(make, reference, 'float32', 12)).toBeLessThan(2e-6);
  });
});

describe('Adam', () => {
  it('moves by the learning rate at its first step, whatever the gradient: bias correction loses no digits', async () => {
    for (const beta2 of [0.99, 0.999, 0.999999]) {
      using parameter = new Parameter(zeros([3]));
      using optimizer = new Adam([parameter], { betas: [0.9, beta2], epsilon: 0 });
      optimizer.step([tensor([1e-3, -5, 1e4])], { learningRate: 1 });
      const moved = await parameter.value.data();
      for (const [i, expected] of [-1, 1, -1].entries()) {
        expect(Math.abs((moved[i] as number) - expected)).toBeLessThan(3e-6);
      }
    }
  });

  it('corrects right where its count stands, far along too', async () => {
    using parameter = new Parameter(zeros([1]));
    using optimizer = new Adam([parameter], { betas: [0.9, 0.999], epsilon: 0 });
    for (const count of [1, 9, 99, 999, 9_999, 999_999]) {
      optimizer.loadStateDict({
        '0.firstMoment': tensor([0.5]),
        '0.secondMoment': tensor([0.25]),
        step: tensor(count, { dtype: 'int32' }),
      });
      parameter.assign(zeros([1]));
      optimizer.step([tensor([2])], { learningRate: 1 });
      const k = count + 1;
      const m = (0.9 * 0.5 + 0.1 * 2) / (1 - 0.9 ** k);
      const v = (0.999 * 0.25 + 0.001 * 4) / (1 - 0.999 ** k);
      const [moved] = await parameter.value.data();
      expect(Math.abs((moved as number) / (-m / Math.sqrt(v)) - 1)).toBeLessThan(1e-6);
    }
  });
});

describe('every optimizer', () => {
  it('differentiates a loss by the current values', async () => {
    using model = new Linear(2, 1, { bias: false, generator: new Generator(1) });
    model.loadStateDict({ weight: tensor([[3, -2]]) });
    using optimizer = new SGD(model, { learningRate: 0.5 });
    for (let step = 0; step < 3; step++) {
      optimizer.step(model.weight.value.square().sum().mul(0.5));
      await commit();
    }
    expect(await model.weight.value.array()).toEqual([[3 / 8, -2 / 8]]);
  });

  it('only assigns: many steps may be built before one commit', async () => {
    using parameter = new Parameter(tensor([8]));
    using optimizer = new SGD([parameter], { learningRate: 0.5, momentum: 0.5 });
    for (let step = 0; step < 3; step++) optimizer.step(parameter.value.square().sum().mul(0.5));
    // v = 8, 4 + 4, 4 + 0; w = 8 - 4, 4 - 4, 0 - 2
    expect(await parameter.value.array()).toEqual([-2]);
  });

  it('leaves frozen Parameters alone, and refuses to train nothing', async () => {
    using model = new Linear(2, 2, { generator: new Generator(1) });
    model.weight.requiresGrad = false;
    const before = await model.weight.value.data();
    using optimizer = new Adam(model);
    expect([...optimizer.parameters.keys()]).toEqual(['bias']);
    optimizer.step(model.call(tensor([[1, 2]])).sum(), { learningRate: 1 });
    await commit();
    expect(await model.weight.value.data()).toEqual(before);
    expect(() => new Adam([model.weight])).toThrow('Adam: got no Parameters to train');
  });

  it('zeroes NaN and infinities in gradients where told to sanitize', async () => {
    using parameter = new Parameter(tensor([1, 1, 1, 1]));
    using optimizer = new SGD([parameter], { learningRate: 1, sanitize: true });
    optimizer.step([tensor([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.25])]);
    expect(await parameter.value.array()).toEqual([1, 1, 1, 0.75]);
  });

  it('names what does not fit', () => {
    using parameter = new Parameter(zeros([2]));
    using optimizer = new SGD(new Map([['head.weight', parameter]]));
    expect(() => optimizer.step([])).toThrow('SGD.step: got 0 gradients for 1 Parameters');
    expect(() => optimizer.step([zeros([3])])).toThrow(
      'SGD.step: the gradient of head.weight has shape [3], the Parameter [2]',
    );
    expect(() => optimizer.step(parameter.value)).toThrow('scalar');
    expect(() => optimizer.step([zeros([2])], { learningRate: Number.NaN })).toThrow(
      'SGD.step: learningRate must be at least 0, got NaN',
    );
    expect(() => new Adam([parameter], { betas: [0.9, 1] })).toThrow(
      'Adam: betas[1] must be at least 0 and below 1, got 1',
    );
    expect(() => new AdamW([parameter], { weightDecay: -1 })).toThrow('AdamW: weightDecay must be at least 0, got -1');
    expect(() => new SGD([parameter], { nesterov: true })).toThrow('SGD: nesterov needs a momentum above 0');
  });

  it.each([
    ['SGD', (p: Parameter[]) => new SGD(p, { momentum: 0.9 })],
    ['Adam', (p: Parameter[]) => new Adam(p)],
    ['AdamW', (p: Parameter[]) => new AdamW(p)],
  ])('%s goes on bit for bit from a state dict', async (_, make) => {
    const train = async (parameter: Parameter, optimizer: Optimizer, from: number, to: number) => {
      for (let step = from; step < to; step++) {
        optimizer.step([tensor(starts.map((_, i) => gradientAt(step, i)))], { learningRate: 0.01 });
        await commit();
      }
      return parameter.value.data();
    };
    const host = async (value: Tensor) =>
      tensor(await value.data(), { shape: value.shape, dtype: value.dtype }) as Tensor;
    using whole = new Parameter(tensor(starts));
    using wholeOptimizer = make([whole]);
    await train(whole, wholeOptimizer, 0, 5);
    using resumed = new Parameter(await host(whole.value));
    using resumedOptimizer = make([resumed]);
    const saved = new Map<string, Tensor>();
    for (const [name, value] of wholeOptimizer.stateDict()) saved.set(name, await host(value));
    resumedOptimizer.loadStateDict(saved);
    expect(await train(resumed, resumedOptimizer, 5, 9)).toEqual(await train(whole, wholeOptimizer, 5, 9));
    saved.delete([...saved.keys()][0] as string);
    expect(() => resumedOptimizer.loadStateDict(saved)).toThrow('missing (1): 0.');
  });
});

describe('clipping', () => {
  it('scales gradients to a joint norm, and only down', async () => {
    const gradients = [tensor([3, 0]), tensor([[4]])];
    const clipped = clipGradNorm(gradients, 1);
    expect(await clipped.norm.item()).toBe(5);
    expect((await clipped.gradients[0]?.data())?.[0]).toBeCloseTo(0.6, 6);
    expect((await clipped.gradients[1]?.data())?.[0]).toBeCloseTo(0.8, 6);
    const untouched = clipGradNorm(gradients, 10);
    expect(await untouched.gradients[1]?.array()).toEqual([[4]]);
    expect(await clipGradNorm([zeros([2])], 1).gradients[0]?.array()).toEqual([0, 0]);
    expect(() => clipGradNorm(gradients, 0)).toThrow('clipGradNorm: maxNorm must be above 0, got 0');
  });

  it('limits each element', async () => {
    const [clipped] = clipGradValue([tensor([-3, 0.2, 3])], 0.5);
    expect(await clipped?.data()).toEqual(Float32Array.of(-0.5, 0.2, 0.5));
  });
});

describe('GradientAccumulator', () => {
  it('sums rounds that are committed one by one, and starts anew', async () => {
    using parameter = new Parameter(tensor([1, 2]));
    using accumulator = new GradientAccumulator([parameter]);
    using optimizer = new SGD([parameter], { learningRate: 1 });
    for (const expected of [
      [1 - 3, 2 - 3],
      [-2 - 3, -1 - 3],
    ]) {
      for (const round of [1, 2]) {
        accumulator.add(parameter.value.mul(round).sum());
        await commit();
      }
      optimizer.step(accumulator.gradients());
      accumulator.reset();
      await commit();
      expect(await parameter.value.array()).toEqual(expected);
    }
    expect(() => accumulator.add([])).toThrow('GradientAccumulator.add: got 0 gradients for 1 Parameters');
  });
});
