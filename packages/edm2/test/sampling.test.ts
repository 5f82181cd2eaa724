import { Generator, memory, oneHot, planCount, setDevelopmentMode, type Tensor, tensor } from '@evenkeel/tensor';
import { guardLeaks } from '@evenkeel/tensor/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  addChurn,
  type GeneratedImages,
  type GenerateOptions,
  type GuidanceInterval,
  generateImages,
  guided,
  type ImageEncoder,
  latentsToPixels,
  noiseLevels,
  type Precond,
  rgbEncoder,
  type SamplerStep,
  sample,
  sampleHeun,
} from '../src/index.ts';
import { tinyNetwork } from './tiny-network.ts';

// Batches of several sizes and networks of their own make plans of their own: no recompile storm.
beforeAll(() => setDevelopmentMode(false));
afterAll(() => setDevelopmentMode(true));
guardLeaks({ beforeEach, afterEach });

const noise = (count = 2) => new Generator(11).normal([count, 2, 4, 4]);
/** The ideal denoiser of data that is N(0, 0.25). */
const gaussian = (x: Tensor, sigma: number) => x.mul(0.25 / (sigma ** 2 + 0.25));

describe('noise levels', () => {
  test('fall from the highest to the lowest to 0', () => {
    const levels = noiseLevels();
    expect(levels).toHaveLength(33);
    expect(levels[0]).toBeCloseTo(80, 3);
    expect(levels[31]).toBeCloseTo(0.002, 6);
    expect(levels[32]).toBe(0);
    for (let i = 1; i < 33; i++) expect(levels[i]).toBeLessThan(levels[i - 1]!);
  });

  test('one step goes from the highest to 0', () => {
    expect([...noiseLevels({ steps: 1, sigmaMax: 4, rho: 2 })]).toEqual([4, 0]);
  });

  test.each([{ steps: 0 }, { steps: 2.5 }, { sigmaMin: 0 }, { sigmaMin: 3, sigmaMax: 2 }, { rho: 0 }])(
    'refuses %o',
    (options) => {
      expect(() => noiseLevels(options)).toThrow(/noiseLevels: /);
    },
  );
});

describe('Heun', () => {
  test('approaches the exact solution with the square of the step', async () => {
    const start = (await new Generator(1).normal([1, 2, 4, 4], { dtype: 'float64' }).data()) as Float64Array;
    const [sigmaMin, sigmaMax] = [0.02, 4];
    const error = async (steps: number) => {
      const x = tensor(start, { shape: [1, 2, 4, 4] });
      const data = await (await sampleHeun(gaussian, x, { steps, sigmaMin, sigmaMax })).data();
      // x / sqrt(sigma^2 + 0.25) is constant along a trajectory.
      const scale = (0.5 / Math.hypot(sigmaMax, 0.5)) * sigmaMax;
      return Math.abs(data[0]! / (start[0]! * scale) - 1);
    };
    const [coarse, fine] = [await error(16), await error(32)];
    expect(fine).toBeLessThan(coarse / 3);
    expect(fine).toBeLessThan(0.02);
  });

  test('asks the denoiser 2 N - 1 times, once with one step', async () => {
    for (const steps of [1, 2, 7]) {
      const sigmas: number[] = [];
      const spy = (x: Tensor, sigma: number) => {
        sigmas.push(sigma);
        return gaussian(x, sigma);
      };
      const x = await sampleHeun(spy, noise(), { steps });
      expect(sigmas).toHaveLength(2 * steps - 1);
      expect(x.shape).toEqual([2, 2, 4, 4]);
    }
  });

  test('a single step is the denoiser’s guess at the highest level', async () => {
    const x = await sampleHeun(gaussian, noise(), { steps: 1, sigmaMax: 2 });
    const expected = await gaussian(noise().mul(2), 2).data();
    (await x.data()).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 5);
    });
  });

  test('tells its progress, and uses two plans and constant memory for any number of steps', async () => {
    using net = tinyNetwork();
    const bytes: number[] = [];
    const seen: number[][] = [];
    const run = (steps: number) =>
      sample(net, noise(), {
        steps,
        onStep: ({ step, sigma }) => {
          seen.push([step, steps, sigma]);
          bytes.push(memory().total);
        },
      });
    await run(3);
    const plans = planCount();
    bytes.length = 0;
    await run(12);
    expect(planCount()).toBe(plans);
    expect(new Set(bytes.slice(1)).size).toBe(1);
    expect(seen.map(([step]) => step)).toEqual([1, 2, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(seen.at(-1)![2]).toBe(0);
  });

  test('a callback reads what has come of it, and stops it by throwing', async () => {
    const means: number[] = [];
    const stop = sampleHeun(gaussian, noise(), {
      steps: 8,
      async onStep({ step, x }) {
        means.push(await x.abs().mean().item());
        if (step === 3) throw new Error('enough');
      },
    });
    await expect(stop).rejects.toThrow('enough');
    expect(means).toHaveLength(3);
    expect(means[2]).toBeLessThan(means[0]!);
  });
});

describe('guidance', () => {
  test('goes from the guide towards the main network and beyond', async () => {
    const denoise = guided(
      (x) => x.mul(3),
      (x) => x.mul(1),
      1.5,
    );
    expect(await denoise(tensor([2]), 1).item()).toBe(8);
  });

  test('of 1 never asks the guide', () => {
    const main = (x: Tensor) => x;
    expect(guided(main, () => expect.fail('asked'), 1)).toBe(main);
  });

  test('asks a network of less training; without a guide it is refused', async () => {
    using net = tinyNetwork();
    using guide = tinyNetwork({ labelDim: 0, generator: new Generator(9) });
    for (const one of [net, guide]) one.unet.outGain.assign(tensor(one === net ? 1 : 0.5));
    const labels = oneHot(tensor(Int32Array.of(0, 1)), 3);
    const plain = await (await sample(net, noise(), { steps: 3, labels, guide })).data();
    expect(await (await sample(net, noise(), { steps: 3, labels })).data()).toEqual(plain);
    expect(await (await sample(net, noise(), { steps: 3, labels, guide, guidance: 2 })).data()).not.toEqual(plain);
    await expect(sample(net, noise(), { guidance: 2 })).rejects.toThrow(/needs a guide/);
  });
});

describe('churn', () => {
  test('draws only between its bounds', async () => {
    const random = new Generator(5);
    const before = random.state().draws;
    await sampleHeun(gaussian, noise(), { steps: 10, churn: { amount: 4, sigmaMin: 0.05, sigmaMax: 5, random } });
    const inside = [...noiseLevels({ steps: 10 })].filter((sigma) => sigma >= 0.05 && sigma <= 5).length;
    expect(random.state().draws - before).toBe(2 * inside); // a normal takes two draws
  });

  test('raises level and spread together', async () => {
    const x = tensor(new Float32Array(20_000));
    const { x: churned, sigma } = addChurn(x, 2, 10, { amount: 3, noiseScale: 1.5, random: new Generator(2) });
    expect(sigma).toBeCloseTo(2.6, 5);
    expect(await churned.std().item()).toBeCloseTo(1.5 * Math.sqrt(2.6 ** 2 - 4), 1);
    const most = addChurn(x, 2, 10, { amount: 1000, random: new Generator(2) });
    expect(most.sigma).toBeCloseTo(2 * Math.SQRT2, 5);
  });
});

describe('sample', () => {
  test('by compiled steps gives the bits of steps that are built one by one', async () => {
    using net = tinyNetwork();
    using guide = tinyNetwork({ labelDim: 0, generator: new Generator(9) });
    for (const one of [net, guide]) one.unet.outGain.assign(tensor(one === net ? 1 : 0.5));
    const labels = oneHot(tensor(Int32Array.of(0, 1)), 3);
    const interval = { firstStep: 1, lastStep: 2 };
    const options = { steps: 5, churn: { amount: 4, sigmaMin: 0.05, sigmaMax: 50 } };
    const withChurn = () => ({ ...options, churn: { ...options.churn, random: new Generator(3) } });
    const sampled = await sample(net, noise(), {
      ...withChurn(),
      labels,
      guide,
      guidance: 2,
      guidanceInterval: interval,
    });
    for (const one of [net, guide]) one.eval();
    const denoise = guided(
      (x, sigma) => net.denoise(x, sigma, labels),
      (x, sigma) => guide.denoise(x, sigma, labels),
      2,
      interval,
    );
    expect(await sampled.data()).toEqual(await (await sampleHeun(denoise, noise(), withChurn())).data());
  });

  test('runs the network in evaluation mode and gives back its own', async () => {
    using net = tinyNetwork({ dropout: 0.5 });
    net.unet.outGain.assign(tensor(1));
    net.train();
    const run = async () => (await sample(net, noise(), { steps: 2 })).data();
    expect(await run()).toEqual(await run());
    expect(net.training).toBe(true);
  });
});

describe('guidance in an interval', () => {
  const record = async (interval: GuidanceInterval) => {
    const asked: number[] = [];
    const guide = (x: Tensor, _sigma: number, step?: SamplerStep) => {
      asked.push(step!.index);
      return x.mul(0.5);
    };
    await sampleHeun(guided(gaussian, guide, 2, interval), noise(), { steps: 8 });
    return asked;
  };

  test('by step holds for both evaluations of a step', async () => {
    expect(await record({ firstStep: 2, lastStep: 3 })).toEqual([2, 2, 3, 3]);
    expect(await record({ firstStep: 6, lastStep: 20 })).toEqual([6, 6, 7]);
  });

  test('by noise level is decided where the step starts: above one level, up to the other', async () => {
    const levels = noiseLevels({ steps: 8 });
    expect(await record({ sigmaAbove: levels[4]!, sigmaMost: levels[2]! })).toEqual([2, 2, 3, 3]);
    expect(await record({ sigmaAbove: 0, sigmaMost: 0.001 })).toEqual([]);
  });
});

describe('one image a seed', () => {
  const generate = async (net: Precond, seeds: readonly number[], options: GenerateOptions = {}) => {
    const parts: GeneratedImages[] = [];
    for await (const part of generateImages(net, seeds, { steps: 3, encoder: twoChannels, ...options }))
      parts.push(part);
    return parts;
  };
  /** Pixels of the tiny network's two channels. */
  const twoChannels: ImageEncoder = {
    ...rgbEncoder(),
    async decode(latents) {
      const [count, ...image] = latents.shape as [number, ...number[]];
      const pixels = latentsToPixels((await latents.data()) as Float32Array);
      const size = image.reduce((product, side) => product * side);
      return Array.from({ length: count }, (_, i) => pixels.slice(i * size, (i + 1) * size));
    },
  };

  test('is the same in batches of any size, with churn too', async () => {
    using net = tinyNetwork();
    net.unet.outGain.assign(tensor(1));
    const seeds = [5, 2 ** 32 + 6, 7];
    const options = { churn: { amount: 20 } };
    const [all] = await generate(net, seeds, options);
    expect(all!.seeds).toEqual(seeds);
    const parts = await generate(net, seeds, { ...options, batchSize: 2 });
    expect(parts.map((part) => part.seeds)).toEqual([[5], [2 ** 32 + 6, 7]]);
    expect(parts.flatMap((part) => part.labels)).toEqual(all!.labels);
    const [third] = await generate(net, [7], options);
    for (const [i, image] of [...parts.flatMap((part) => part.images), third!.images[0]!].entries()) {
      image.forEach((value, at) => {
        // Sums may round otherwise in a batch of another size, which can move a value over the edge of a pixel step.
        expect(Math.abs(value - all!.images[Math.min(i, 2)]![at]!)).toBeLessThanOrEqual(1);
      });
    }
    expect((await generate(net, [6], options))[0]!.images[0]).toEqual(parts[1]!.images[0]);
  });

  test('shows a fixed class without changing its noise, and another one by seed', async () => {
    using net = tinyNetwork();
    const seeds = [...Array(30).keys()];
    const [drawn] = await generate(net, seeds, { steps: 1 });
    expect(new Set(drawn!.labels)).toEqual(new Set([0, 1, 2]));
    const [fixed] = await generate(net, seeds, { steps: 1, label: 2 });
    expect(new Set(fixed!.labels)).toEqual(new Set([2]));
    // Before training the network ignores labels: what differs would be the noise.
    expect(fixed!.images).toEqual(drawn!.images);
    const [told] = await generate(net, seeds, { steps: 1, labelOf: (seed) => seed % 3 });
    expect(told!.labels?.slice(0, 4)).toEqual([0, 1, 2, 0]);
  });

  test('has no label where the network has none', async () => {
    using net = tinyNetwork({ labelDim: 0 });
    expect((await generate(net, [1]))[0]!.labels).toBeNull();
  });

  test('is refused for classes that are not there, without seeds, and without the encoder of latents', async () => {
    using net = tinyNetwork();
    await expect(generate(net, [1], { label: 3 })).rejects.toThrow(/class 3 of a network of 3 classes/);
    await expect(generate(net, [])).rejects.toThrow(/no seeds/);
    await expect(generate(net, [1], { batchSize: 0 })).rejects.toThrow(/at least 1 image, got 0/);
    using latents = tinyNetwork({ imgChannels: 4 });
    await expect(generateImages(latents, [1]).next()).rejects.toThrow(/latents of 4 channels\. Give the encoder/);
  });
});
