import { setDevelopmentMode } from '@evenkeel/tensor';
import { guardLeaks } from '@evenkeel/tensor/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encodeSnapshot } from '../../src/ema/index.ts';
import { fractalTree } from '../../src/toy/fractal-tree.ts';
import { sampleToy } from '../../src/toy/sample-toy.ts';
import { decodeToy, encodeToy } from '../../src/toy/toy-file.ts';
import { ToyModel } from '../../src/toy/toy-model.ts';
import { ToyTrainer } from '../../src/toy/toy-trainer.ts';

guardLeaks({ beforeEach, afterEach });
// Networks of several sizes are made and dropped: no recompile storm.
beforeAll(() => setDevelopmentMode(false));
afterAll(() => setDevelopmentMode(true));

const small = { layers: 2, dim: 16, batchSize: 128 } as const;

async function train(trainer: ToyTrainer, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) losses.push(await (await trainer.step()).loss.item());
  return losses;
}

describe('training', () => {
  test('lowers the loss, and is the same for the same seed', async () => {
    using trainer = new ToyTrainer({ ...small, seed: 3 });
    const losses = await train(trainer, 120);
    const mean = (part: number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length;
    // Seeds 0 to 39 gave 0.61 to 0.81.
    expect(mean(losses.slice(-20)) / mean(losses.slice(0, 20))).toBeLessThan(0.9);
    using again = new ToyTrainer({ ...small, seed: 3 });
    expect(await train(again, 5)).toEqual(losses.slice(0, 5));
    using other = new ToyTrainer({ ...small, seed: 4 });
    expect(await train(other, 1)).not.toEqual(losses.slice(0, 1));
  });

  test('rates fall as an inverse square root from step 512 on', async () => {
    using trainer = new ToyTrainer({ layers: 1, dim: 4, batchSize: 2 });
    const rates: number[] = [];
    for (let i = 0; i < 515; i++) rates.push((await trainer.step()).learningRate);
    expect([rates[0], rates[512]]).toEqual([0.01, 0.01]);
    expect(rates[514]).toBeCloseTo(0.01 / Math.sqrt(514 / 512), 12);
  });

  test('refuses a batch of no points, and layers that are none', () => {
    expect(() => new ToyTrainer({ batchSize: 0 })).toThrow(/batchSize must be a whole number of at least 1/);
    expect(() => new ToyModel({ layers: 0 })).toThrow(/layers must be at least 1/);
  });
});

describe('files', () => {
  test('give back the averaged network and what it learned', async () => {
    using trainer = new ToyTrainer({ ...small, classes: 'AB' });
    await train(trainer, 3);
    const stored = decodeToy(await encodeToy(trainer));
    using net = stored.net;
    expect([stored.classes, stored.images, net.options]).toEqual(['AB', 384, { layers: 2, dim: 16, sigmaData: 0.5 }]);
    const average = await trainer.ema.snapshot(0.01);
    for (const [name, value] of net.stateDict()) expect(await value.data()).toEqual(average.get(name)!.data);
  });

  test('of something else are refused by name', () => {
    const bytes = encodeSnapshot({ images: 8, std: 0.1, values: new Map() });
    expect(() => decodeToy(bytes, 'x.safetensors')).toThrow(/x\.safetensors: does not describe a network of the toy/);
    const wrong = encodeSnapshot({
      images: 8,
      std: 0.1,
      values: new Map(),
      metadata: { toy: '{"classes":"A","layers":2,"dim":16,"sigmaData":0.5}' },
    });
    expect(() => decodeToy(wrong, 'x.safetensors')).toThrow(/decodeToy x\.safetensors: .*gain/);
  });
});

describe('samples', () => {
  test('of an untrained network are normal with standard deviation sigmaData', async () => {
    using net = new ToyModel({ ...small });
    const points = await sampleToy(net, { count: 4000, seed: 1 });
    const variance = points.reduce((sum, value) => sum + value * value, 0) / points.length;
    // Noise level 5 stands for infinity: sqrt(1 + 0.01) less of it. Six standard errors of 8000 squares.
    expect(Math.abs(variance / 0.25 - 1)).toBeLessThan(6 * Math.sqrt(2 / 8000) + 0.02);
  });

  test('are guided only where there is a guide', async () => {
    using net = new ToyModel({ ...small });
    const [plain, same] = [
      await sampleToy(net, { count: 10, steps: 4 }),
      await sampleToy(net, { count: 10, steps: 4, guide: net, guidance: 3 }),
    ];
    plain.forEach((value, i) => {
      expect(same[i]).toBeCloseTo(value, 4); // away from itself is nowhere
    });
    await expect(sampleToy(net, { guidance: 2 })).rejects.toThrow(/guidance 2 needs a guide/);
  });
});

test('class A is in the published place', () => {
  const [first] = fractalTree('A').components;
  expect(first!.mean[0]).toBeCloseTo(0.021344, 6);
  expect(first!.mean[1]).toBeCloseTo(0.063334, 6);
});
