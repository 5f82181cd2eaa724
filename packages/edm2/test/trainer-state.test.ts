import { type DataLoader, Dropout } from '@evenkeel/nn';
import { Generator, type Tensor, tensor } from '@evenkeel/tensor';
import { guardLeaks } from '@evenkeel/tensor/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Batch,
  type Precond,
  type PrecondOptions,
  Trainer,
  type TrainerOptions,
  type TrainerState,
} from '../src/index.ts';
import { tinyNetwork } from './tiny-network.ts';

/** One level, without attention: states and steps are the same in kind, and made ready sooner. */
const smallNetwork = (options: Partial<PrecondOptions> = {}) =>
  tinyNetwork({ channelMult: [1], channelsPerHead: 64, ...options });

guardLeaks({ beforeEach, afterEach });

/** Draws that follow from the position alone, as a data loader's do. */
function sourceAt(position: number, batchSize: number): Pick<DataLoader<Batch>, 'next' | 'position'> {
  return {
    get position() {
      return position;
    },
    async next() {
      const random = new Generator(5).fork(position);
      position += batchSize;
      const [images, labels] = [random.normal([batchSize, 2, 4, 4], { std: 0.5 }), random.uniform([batchSize, 3])];
      return { images: await asValues(images), labels: await asValues(labels) };
    },
  };
}

async function asValues(x: Tensor): Promise<Tensor> {
  return tensor(await x.data(), { shape: x.shape, dtype: x.dtype });
}

const options: TrainerOptions = {
  traditionalEma: { halfLives: [20, 1000] },
  batchSize: 8,
  accumulationRounds: 2,
  seed: 3,
  learningRate: { referenceRate: 0.02, decayBatches: 2, rampupImages: 24 },
};

interface Part {
  readonly steps: number;
  readonly from?: TrainerState;
}

async function train({ steps, from }: Part, net: Precond = smallNetwork({ dropout: 0.2 })) {
  try {
    using trainer = new Trainer(net, sourceAt(from?.images ?? 0, 4), options);
    if (from !== undefined) await trainer.restore(from);
    const losses: number[] = [];
    for (let i = 0; i < steps; i++) losses.push(await (await trainer.step()).loss.item());
    return { state: await trainer.state(), losses };
  } finally {
    net.dispose();
  }
}

describe('the state of a training', () => {
  test('goes on with the bits of a training that was never interrupted', async () => {
    const whole = await train({ steps: 5 });
    const first = await train({ steps: 2 });
    const rest = await train(
      { steps: 3, from: first.state },
      smallNetwork({ dropout: 0.2, generator: new Generator(99) }),
    );
    expect([...first.losses, ...rest.losses]).toEqual(whole.losses);
    expect(rest.state).toEqual(whole.state);
    expect(whole.state.images).toBe(40);
  });

  test('holds weights, buffers, moments, the count and every average', async () => {
    const { state } = await train({ steps: 1 });
    const names = [...state.tensors.keys()];
    for (const name of [
      'net.unet.out_gain',
      'net.unet.emb_fourier.freqs',
      'optimizer.unet.out_gain.firstMoment',
      'optimizer.unet.out_gain.secondMoment',
      'optimizer.step',
      'ema.0.05.unet.out_gain',
      'ema.0.1.logvar_linear.weight',
      'traditional.20.unet.out_gain',
    ]) {
      expect(names).toContain(name);
    }
    expect([...state.tensors.get('optimizer.step')!.data]).toEqual([1]);
  });

  test('before the first step is that of normalized first values, in the averages too', async () => {
    const { state } = await train({ steps: 0 });
    const of = (name: string) => state.tensors.get(name)!.data as Float32Array;
    const weight = of('net.unet.out_conv.weight');
    expect(Math.hypot(...weight) / Math.sqrt(weight.length)).toBeCloseTo(1, 3);
    expect(of('ema.0.05.unet.out_conv.weight')).toEqual(weight);
  });

  test('is refused where it does not fit, in one line', async () => {
    const { state } = await train({ steps: 1 });
    await expect(train({ steps: 1, from: { ...state, seed: 4 } })).rejects.toThrow(
      /of seed 4, this training has seed 3$/,
    );
    const wide = smallNetwork({ modelChannels: 16 });
    await expect(train({ steps: 1, from: state }, wide)).rejects.toThrow(
      /does not fit Precond: misfit.*other options\?$/,
    );
    const extra = new Map([...state.tensors, ['ema.0.2.unet.out_gain', state.tensors.get('net.unet.out_gain')!]]);
    await expect(train({ steps: 1, from: { ...state, tensors: extra } })).rejects.toThrow(/track other averages\?$/);
    const lacking = new Map([...state.tensors].filter(([name]) => name !== 'ema.0.1.unet.out_gain'));
    await expect(train({ steps: 1, from: { ...state, tensors: lacking } })).rejects.toThrow(
      /wants unet.out_gain of the average 0.1, \[\], got none/,
    );
  });
});

describe('what a step is made of', () => {
  test('averages that fade exponentially are those of the formula', async () => {
    using net = smallNetwork();
    using trainer = new Trainer(net, sourceAt(0, 4), options);
    const weights: number[] = [];
    let average = 0;
    for (let step = 1; step <= 4; step++) {
      const { images } = await trainer.step();
      weights.push(await net.unet.outGain.value.item());
      const beta = 0.5 ** (8 / Math.min(20, 0.09 * images));
      average = beta * average + (1 - beta) * (weights.at(-1) as number);
    }
    expect(new Set(weights).size).toBeGreaterThan(2);
    const [tracked] = (await trainer.traditionalEma!.snapshot(20)).get('unet.out_gain')!.data;
    expect(tracked).toBeCloseTo(average, 6);
  });

  test('an encoder is part of the step: its noise is fresh in each and follows from seed and images seen', async () => {
    const run = async (compile: boolean) => {
      using net = smallNetwork();
      const encoder = {
        encode: (raw: Tensor, random: Generator) => raw.slice(null, [0, 2]).add(random.normal([4, 2, 4, 4])),
      };
      const raw = tensor(new Float32Array(4 * 64).fill(0.5), { shape: [4, 4, 4, 4] });
      const next = async () => ({ images: raw });
      using trainer = new Trainer(
        net,
        { next },
        { batchSize: 4, encoder, compile, learningRate: { referenceRate: 0 } },
      );
      const losses: number[] = [];
      for (let step = 0; step < 3; step++) losses.push(await (await trainer.step()).loss.item());
      return losses;
    };
    const losses = await run(true);
    expect(new Set(losses).size).toBe(3);
    expect(await run(false)).toEqual(losses);
  });

  test('counts what is not finite in the gradients, and trains on without it', async () => {
    using net = smallNetwork();
    let round = 0;
    const next = async () => {
      const images = new Float32Array(4 * 32).fill(round++ === 1 ? Number.POSITIVE_INFINITY : 0.25);
      return { images: tensor(images, { shape: [4, 2, 4, 4] }) };
    };
    using trainer = new Trainer(net, { next }, { batchSize: 4, countNonFinite: true });
    const counts: number[] = [];
    for (let step = 0; step < 3; step++) counts.push(await (await trainer.step()).nonFinite!.item());
    expect(counts[0]).toBe(0);
    expect(counts[1]).toBeGreaterThan(0);
    expect(counts[1]).toBeLessThanOrEqual(net.parameterCount());
    expect(counts[2]).toBe(0);
  });

  test('a loss scale multiplies gradients and is not taken out again', async () => {
    const norms = async (lossScale: number) => {
      using net = smallNetwork();
      const scaled = { ...options, lossScale, gradientNorm: true, learningRate: { referenceRate: 0 } };
      using trainer = new Trainer(net, sourceAt(0, 4), scaled);
      const { gradientNorm, loss } = await trainer.step();
      return [await loss.item(), await gradientNorm!.item()] as const;
    };
    const [[loss, norm], [sameLoss, scaledNorm]] = [await norms(1), await norms(64)];
    expect(sameLoss).toBe(loss);
    expect(scaledNorm).toBe(64 * norm); // a power of two moves no bit
    using net = smallNetwork();
    for (const lossScale of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => new Trainer(net, sourceAt(0, 4), { ...options, lossScale })).toThrow(/lossScale must be above 0/);
    }
  });

  test('a Dropout layer of the user keeps its own generator', async () => {
    using net = smallNetwork({ dropout: new Dropout(0.5, { generator: new Generator(1) }) });
    using trainer = new Trainer(net, sourceAt(0, 4), options);
    expect(Number.isFinite(await (await trainer.step()).loss.item())).toBe(true);
  });
});
