import { Adam, DataLoader, Dropout, withProbe } from '@evenkeel/nn';
import { explain, Generator, memory, oneHot, planCount, type Tensor, tensor, zeros } from '@evenkeel/tensor';
import { guardLeaks } from '@evenkeel/tensor/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { largestDeviation } from '../src/conformance/compare.ts';
import {
  type Batch,
  type BatchSource,
  Block,
  classBalanced,
  Edm2Loss,
  PowerFunctionEma,
  type Precond,
  Trainer,
  type TrainerOptions,
  trainingExamples,
  trainStep,
} from '../src/index.ts';
import { pictureSet } from './picture-set.ts';
import { tinyNetwork } from './tiny-network.ts';

guardLeaks({ beforeEach, afterEach });

const rates = { referenceRate: 0.02, decayBatches: 0, rampupImages: 0 };
const still: TrainerOptions = { batchSize: 8, learningRate: rates };

/** Images of a label's own pattern with a little noise. */
function patterns(count: number, seed: number): { images: Tensor; labels: Tensor } {
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  const signs = new Float32Array(count * 32).map((_, i) => {
    const pixel = i % 16;
    const stripes = [pixel % 2, Math.floor(pixel / 4) % 2, Math.floor(pixel / 8)];
    return stripes[labels[Math.floor(i / 32)]!]! - 0.5;
  });
  const noise = new Generator(seed).normal([count, 2, 4, 4], { std: 0.05 });
  return { images: tensor(signs, { shape: [count, 2, 4, 4] }).add(noise), labels: oneHot(tensor(labels), 3) };
}

function source(count: number): BatchSource {
  let seed = 0;
  return { next: async () => patterns(count, seed++) };
}

/** A tensor of the values of `x`, computed: as a graph, it would be rounded where kernels are cut. */
async function asValues(x: Tensor): Promise<Tensor> {
  return tensor(await x.data(), { shape: x.shape, dtype: x.dtype });
}

/** lambda (D - y)^2 on fixed images, levels and noise. */
async function heldOutError(net: Precond): Promise<number> {
  const { images, labels } = patterns(24, 999);
  const random = new Generator(77);
  const normals = { sigma: random.normal([24, 1, 1, 1]), noise: random.normal([24, 2, 4, 4]) };
  net.eval();
  return new Edm2Loss().terms(net, images, labels, normals).weighted.mean().item();
}

/** Values that outlive the next step. */
async function valuesOf(net: Precond): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const [name, value] of net.stateDict()) values.set(name, (await value.data()) as Float32Array);
  return values;
}

describe('training', () => {
  test('learns patterns: the held-out error falls far below that of the skip connection', async () => {
    using net = tinyNetwork();
    using trainer = new Trainer(net, source(8), { ...still, learningRate: { ...rates, decayBatches: 20 } });
    const before = await heldOutError(net);
    for (let step = 0; step < 60; step++) await trainer.step();
    expect(await heldOutError(net)).toBeLessThan(0.5 * before);
    using averaged = tinyNetwork();
    averaged.loadStateDict(trainer.ema.stateDict(0.1));
    expect(await heldOutError(averaged)).toBeLessThan(0.5 * before);
  });

  test('has one plan for all steps, whatever the rate, and constant memory', async () => {
    using net = tinyNetwork();
    using trainer = new Trainer(net, source(8), { batchSize: 8, learningRate: { decayBatches: 3, rampupImages: 16 } });
    const [bytes, learningRates]: [number[], number[]] = [[], []];
    await (await trainer.step()).loss.item();
    const plans = planCount();
    for (let step = 1; step < 12; step++) {
      const { loss, learningRate } = await trainer.step();
      expect(Number.isFinite(await loss.item())).toBe(true);
      bytes.push(memory().total);
      learningRates.push(learningRate);
    }
    expect(planCount()).toBe(plans);
    expect(new Set(bytes).size).toBe(1);
    expect(new Set(learningRates).size).toBeGreaterThan(5);
  });

  test('reserves little more memory than what must live at once', async () => {
    using net = tinyNetwork({ imgResolution: 8, modelChannels: 16, channelMult: [1, 2, 2], numBlocks: 2 });
    using optimizer = new Adam(net);
    using ema = new PowerFunctionEma(net);
    const random = new Generator(1);
    const images = random.normal([16, 2, 8, 8]);
    const parts = { net, loss: new Edm2Loss(), optimizer, ema };
    const { loss } = trainStep(parts, { images }, { random, learningRate: 0.01, images: 16 });
    const { peakBytes, liveBytes } = explain(loss);
    expect(peakBytes).toBeGreaterThan(1e6);
    expect(peakBytes / liveBytes).toBeLessThan(1.2);
  });

  test('the first step of a rising schedule has rate 0: weights are projected, not trained', async () => {
    using net = tinyNetwork();
    using trainer = new Trainer(net, source(8), { batchSize: 8 });
    const { learningRate } = await trainer.step();
    expect(learningRate).toBe(0);
    const values = (await valuesOf(net)).get('unet.out_conv.weight')!;
    const rows = [0, 1].map((row) => values.subarray(row * 72, (row + 1) * 72));
    for (const row of rows) expect(Math.sqrt(row.reduce((sum, w) => sum + w * w, 0) / 72)).toBeCloseTo(1 - 1e-4, 5);
    expect((await valuesOf(net)).get('unet.out_gain')![0]).toBe(0);
  });

  test.each(['float32', 'float64'] as const)('a replayed step has the bits of one built anew, %s', async (dtype) => {
    const run = async (compile: boolean) => {
      using net = tinyNetwork({ dropout: 0.3, dtype });
      const next = async (): Promise<Batch> => {
        const { images, labels } = patterns(8, seed++);
        return { images: await asValues(images.cast(dtype)), labels: await asValues(labels.cast(dtype)) };
      };
      let seed = 0;
      const options = { batchSize: 16, accumulationRounds: 2, gradientNorm: true, compile };
      using trainer = new Trainer(net, { next }, { ...options, learningRate: { decayBatches: 2, rampupImages: 48 } });
      const log: unknown[] = [];
      for (let step = 0; step < 3; step++) {
        const { loss, gradientNorm, learningRate, images } = await trainer.step();
        log.push(await loss.item(), await gradientNorm?.item(), learningRate, images);
      }
      log.push(await valuesOf(net));
      for (const std of trainer.ema.stds) log.push(await trainer.ema.snapshot(std));
      for (const [name, value] of trainer.optimizer.stateDict()) log.push(name, await value.data());
      return log;
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test('batches with and without normals may take turns', async () => {
    const run = async (compile: boolean) => {
      using net = tinyNetwork();
      let round = 0;
      const next = async (): Promise<Batch> => {
        const random = new Generator(round);
        const [sigma, noise] = [random.normal([8, 1, 1, 1]), random.normal([8, 2, 4, 4])];
        const { images, labels } = patterns(8, round);
        const batch = { images: await asValues(images), labels: await asValues(labels) };
        if (round++ % 2 === 0) return batch;
        return { ...batch, normals: { sigma: await asValues(sigma), noise: await asValues(noise) } };
      };
      using trainer = new Trainer(net, { next }, { ...still, compile });
      const losses: number[] = [];
      for (let step = 0; step < 4; step++) losses.push(await (await trainer.step()).loss.item());
      return losses;
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test('is a function of its seed', async () => {
    const run = async (seed: number) => {
      using net = tinyNetwork();
      using trainer = new Trainer(net, source(8), { ...still, seed });
      const losses: number[] = [];
      for (let step = 0; step < 3; step++) losses.push(await (await trainer.step()).loss.item());
      return losses;
    };
    const first = await run(1);
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  });

  test('dropout too is a function of the seed, whatever else draws masks', async () => {
    const run = async (seed: number) => {
      using net = tinyNetwork({ dropout: 0.5 });
      using trainer = new Trainer(net, source(8), { ...still, seed, batchSize: 16, accumulationRounds: 2 });
      const losses: number[] = [];
      for (let step = 0; step < 3; step++) {
        new Dropout(0.5).call(zeros([seed + step]));
        losses.push(await (await trainer.step()).loss.item());
      }
      return losses;
    };
    const first = await run(1);
    new Dropout(0.5).call(zeros([1]));
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  });

  test('rounds of half a batch add up to the whole batch', async () => {
    const random = new Generator(4);
    const { images, labels } = patterns(8, 1);
    const all = [images, labels, random.normal([8, 1, 1, 1]), random.normal([8, 2, 4, 4])];
    const host = await Promise.all(all.map((x) => x.data() as Promise<Float32Array>));
    const run = async (accumulationRounds: number) => {
      const size = 8 / accumulationRounds;
      let round = 0;
      const next = async (): Promise<Batch> => {
        const start = (round++ % accumulationRounds) * size;
        const [x, y, sigma, noise] = all.map((whole, i) => {
          const row = whole.size / 8;
          const part = host[i]!.slice(start * row, (start + size) * row);
          return tensor(part, { shape: [size, ...whole.shape.slice(1)] });
        }) as [Tensor, Tensor, Tensor, Tensor];
        return { images: x, labels: y, normals: { sigma, noise } };
      };
      using net = tinyNetwork();
      using trainer = new Trainer(net, { next }, { ...still, accumulationRounds, gradientNorm: true });
      const log: number[] = [];
      for (let step = 0; step < 4; step++) {
        const { loss, gradientNorm } = await trainer.step();
        log.push(await loss.item(), await gradientNorm!.item());
      }
      const plans = planCount();
      await trainer.step();
      expect(planCount()).toBe(plans);
      return { log, values: await valuesOf(net) };
    };
    const [whole, halves] = [await run(1), await run(2)];
    whole.log.forEach((value, i) => {
      expect(Math.abs(halves.log[i]! / value - 1)).toBeLessThan(1e-3);
    });
    for (const [name, values] of whole.values) {
      expect(largestDeviation(halves.values.get(name)!, values), name).toBeLessThan(5e-3);
    }
  });

  test('gradients that are not finite move nothing', async () => {
    using net = tinyNetwork();
    const { labels } = patterns(8, 1);
    const images = tensor(new Float32Array(8 * 32).fill(Number.NaN), { shape: [8, 2, 4, 4] });
    using trainer = new Trainer(net, { next: async () => ({ images, labels }) }, still);
    const { loss } = await trainer.step();
    expect(await loss.item()).toBeNaN();
    for (const [name, values] of await valuesOf(net)) expect(values.every(Number.isFinite), name).toBe(true);
    expect((await valuesOf(net)).get('unet.out_gain')![0]).toBe(0);
  });

  test('trains with dropout on, and leaves the network in training mode', async () => {
    using net = tinyNetwork({ dropout: 0.2 }).eval();
    using trainer = new Trainer(net, source(8), still);
    await trainer.step();
    expect(net.training).toBe(true);
    const seen: unknown[] = [];
    withProbe({ onForward: ({ module }) => void (module instanceof Block && seen.push(module.dropout.training)) }, () =>
      net.denoise(patterns(1, 1).images, 1),
    );
    expect(seen.every(Boolean)).toBe(true);
  });

  test('refuses batches of another size, and rounds that do not divide', async () => {
    using net = tinyNetwork();
    using trainer = new Trainer(net, source(4), still);
    await expect(trainer.step()).rejects.toThrow(/wants 8 images a round, got 4/);
    expect(() => new Trainer(net, source(4), { batchSize: 8, accumulationRounds: 3 })).toThrow(/into 3 rounds/);
    expect(() => new Trainer(net, source(4), { batchSize: 0 })).toThrow(/at least 1, got 0/);
  });
});

describe('pictures as examples', () => {
  test('a loader gives latents and one-hot labels', async () => {
    const set = pictureSet([0, 1, 1, 2]);
    const loader = new DataLoader(trainingExamples(set), { batchSize: 3, indices: classBalanced(set, { seed: 1 }) });
    const { images, labels } = await loader.next();
    expect(images.shape).toEqual([3, set.channels, set.resolution, set.resolution]);
    expect(images.dtype).toBe('float32');
    expect(await images.abs().max().item()).toBeLessThanOrEqual(1);
    expect(labels!.shape).toEqual([3, 3]);
    expect([...(await labels!.sum(0).data())]).toEqual([1, 1, 1]);
  });
});
