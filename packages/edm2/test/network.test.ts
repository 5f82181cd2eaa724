import { project } from '@evenkeel/mp-nn';
import { withProbe } from '@evenkeel/nn';
import { Generator, grad, oneHot, setDevelopmentMode, stack, type Tensor, tensor } from '@evenkeel/tensor';
import { guardLeaks } from '@evenkeel/tensor/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { largestDeviation } from '../src/conformance/compare.ts';
import { Block, Edm2Loss, Precond } from '../src/index.ts';
import { publishedState } from './published-state.ts';
import { tinyNetwork } from './tiny-network.ts';

// Nearly every test has shapes of its own, so each makes its plans: no recompile storm.
beforeAll(() => setDevelopmentMode(false));
afterAll(() => setDevelopmentMode(true));
guardLeaks({ beforeEach, afterEach });

/** Magnitudes of all of them, computed together. */
async function magnitudes(tensors: readonly Tensor[]): Promise<number[]> {
  const values = tensors.map((x) => x.square().mean().sqrt());
  return [...(await stack(values, 0).data())];
}

const rms = async (x: Tensor) => (await magnitudes([x]))[0]!;

/** Gains at 1, as a trained network has them: the block listens to its embedding, the output is not 0. */
function openGains(net: Precond): void {
  for (const [name, parameter] of net.namedParameters()) {
    if (name.endsWith('gain')) parameter.assign(tensor(1));
  }
}

describe('state dict', () => {
  test('has the published names and shapes in the published order', () => {
    using net = new Precond({
      imgResolution: 8,
      imgChannels: 3,
      labelDim: 3,
      modelChannels: 8,
      channelMult: [1, 2],
      numBlocks: 1,
      attnResolutions: [4],
      channelsPerHead: 8,
    });
    expect([...net.stateDict()].map(([name, { shape }]) => [name, shape])).toEqual(publishedState);
    expect(net.parameterCount()).toBe(45_747);
  });

  test.each([
    ['XXS', 64, 31_309_029],
    ['XS', 128, 124_713_253],
    ['S', 192, 280_212_837],
    ['M', 256, 497_807_781],
    ['L', 320, 777_498_085],
    ['XL', 384, 1_119_283_749],
    ['XXL', 448, 1_523_164_773],
  ])('%s has the published number of parameters, counted without computing them', (_, modelChannels, count) => {
    using net = new Precond({ imgResolution: 64, imgChannels: 4, labelDim: 1000, modelChannels });
    expect(net.parameterCount()).toBe(count);
  });

  test('unconditional and RGB networks have theirs', () => {
    using unconditional = new Precond({ imgResolution: 64, imgChannels: 4, labelDim: 0, modelChannels: 128 });
    expect(unconditional.parameterCount()).toBe(124_201_253);
    using rgb = new Precond({ imgResolution: 64, imgChannels: 3, labelDim: 1000 });
    expect(rgb.parameterCount()).toBe(280_209_381);
  });
});

describe('at its first values', () => {
  test('F is 0, so D is the skip connection alone, whatever the label', async () => {
    using net = tinyNetwork();
    const x = new Generator(2).normal([3, 2, 4, 4]);
    const values = await x.data();
    const sigma = 2;
    const denoised = await net.denoise(x, sigma, oneHot(tensor(Int32Array.of(0, 1, 2)), 3)).data();
    denoised.forEach((value, i) => {
      expect(value).toBeCloseTo((values[i]! * 0.25) / (sigma ** 2 + 0.25), 6);
    });
  });

  test('only the output gain and the uncertainty head get gradients', async () => {
    using net = tinyNetwork();
    const random = new Generator(3);
    const elements = new Edm2Loss().call(net, random.normal([4, 2, 4, 4]), null, random);
    const names = [...net.namedParameters().keys()];
    const gradients = grad(
      elements.sum().div(4),
      net.parameters().map((parameter) => parameter.value),
    );
    const sizes = await magnitudes(gradients);
    expect(names.filter((_, i) => sizes[i]! > 0)).toEqual(['unet.out_gain', 'logvar_linear.weight']);
  });

  test('u(sigma) is of the order of 1, not 0', async () => {
    using net = tinyNetwork({ logvarChannels: 128 });
    const sigma = tensor([0.01, 0.1, 0.5, 2, 50]);
    const { logvar } = net.call(new Generator(1).normal([5, 2, 4, 4]), sigma);
    expect(logvar.shape).toEqual([5, 1, 1, 1]);
    expect(await rms(logvar)).toBeGreaterThan(0.1);
    expect(await rms(logvar)).toBeLessThan(3);
  });
});

describe('magnitudes', () => {
  test.each([
    ['enc', 32, 0.3],
    ['enc', 48, 0.5],
    ['dec', 32, 0.1],
    ['dec', 48, 0.3],
  ] as const)(
    'a block (%s, from %d channels, balance %d) keeps the magnitude of white input',
    async (flavor, inChannels, t) => {
      const squares: number[] = [];
      for (let seed = 0; seed < 8; seed++) {
        const generator = new Generator(seed);
        using block = new Block({ flavor, inChannels, resBalance: t, outChannels: 32, embChannels: 16, generator });
        const y = block.call(generator.normal([4, inChannels, 8, 8]), generator.normal([4, 16]));
        squares.push(await y.square().mean().item());
      }
      // A zero-padded 3x3 convolution of 8x8 white pixels has RMS 22 / 24; the residual branch has two.
      const expected = Math.hypot(1 - t, t * (22 / 24) ** 2) / Math.hypot(1 - t, t);
      const magnitude = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
      expect(Math.abs(magnitude - expected)).toBeLessThan(0.03);
    },
  );

  test('stay near 1 all the way through a network whose gains are open', async () => {
    using net = tinyNetwork({ imgResolution: 8, modelChannels: 32, attnResolutions: [], channelsPerHead: 64 });
    const outputs = new Map<string, Tensor>();
    openGains(net);
    const sigma = 0.7;
    const x = new Generator(4).normal([4, 2, 8, 8], { std: Math.hypot(sigma, 0.5) });
    withProbe(
      {
        onForward: ({ path, module, output }) => void (module instanceof Block && outputs.set(path, output as Tensor)),
      },
      () => net.call(x, sigma, oneHot(tensor(Int32Array.of(0, 1, 2, 0)), 3)),
    );
    expect(outputs.size).toBe(10);
    const found = await magnitudes([...outputs.values()]);
    for (const [i, path] of [...outputs.keys()].entries()) {
      expect(found[i], path).toBeGreaterThan(0.5);
      expect(found[i], path).toBeLessThan(1.5);
    }
  });

  test('do not depend on the scale of the weights', async () => {
    using net = tinyNetwork();
    openGains(net);
    const x = new Generator(5).normal([2, 2, 4, 4]);
    const before = await net.denoise(x, 1).data();
    for (const [name, parameter] of net.namedParameters()) {
      if (name.endsWith('weight')) parameter.assign(parameter.value.mul(5));
    }
    const after = await net.denoise(x, 1).data();
    after.forEach((value, i) => {
      expect(value).toBeCloseTo(before[i]!, 2);
    });
    project(net);
    const weights = [...net.namedParameters()].filter(([name]) => name.endsWith('weight'));
    for (const size of await magnitudes(weights.map(([, { value }]) => value))) expect(size).toBeCloseTo(1, 3);
  });

  test('outputs are clipped', async () => {
    using block = new Block({ inChannels: 4, outChannels: 4, embChannels: 4, flavor: 'dec', clipAct: 0.5 });
    const y = block.call(new Generator(1).normal([1, 4, 4, 4]), new Generator(2).normal([1, 4]));
    expect(await y.abs().max().item()).toBe(0.5);
  });
});

describe('conditioning', () => {
  test('a scalar sigma is that sigma for every image', async () => {
    using net = tinyNetwork();
    openGains(net);
    const x = new Generator(6).normal([2, 2, 4, 4]);
    const labels = oneHot(tensor(Int32Array.of(2, 0)), 3);
    const [scalar, each] = [
      await net.denoise(x, 0.3, labels).data(),
      await net.denoise(x, tensor([0.3, 0.3]), labels).data(),
    ];
    scalar.forEach((value, i) => {
      expect(value).toBeCloseTo(each[i]!, 5);
    });
  });

  test('without labels a row of zeros stands for them, and labels matter', async () => {
    using net = tinyNetwork();
    openGains(net);
    const x = new Generator(7).normal([2, 2, 4, 4]);
    const none = await net.denoise(x, 0.3).data();
    expect(largestDeviation(await net.denoise(x, 0.3, tensor([[0, 0, 0]])).data(), none)).toBeLessThan(1e-5);
    expect(largestDeviation(await net.denoise(x, 0.3, tensor([[1, 0, 0]])).data(), none)).toBeGreaterThan(0.01);
  });

  test('an unconditional network ignores labels', async () => {
    using net = tinyNetwork({ labelDim: 0 });
    openGains(net);
    const x = new Generator(8).normal([1, 2, 4, 4]);
    expect(await net.denoise(x, 1, tensor([[1, 0, 0]])).data()).toEqual(await net.denoise(x, 1).data());
  });

  test('dropout acts in training only', async () => {
    using net = tinyNetwork({ dropout: 0.5 });
    openGains(net);
    const x = new Generator(9).normal([1, 2, 4, 4]);
    net.eval();
    const still = await net.denoise(x, 1).data();
    expect(await net.denoise(x, 1).data()).toEqual(still);
    net.train();
    expect(await net.denoise(x, 1).data()).not.toEqual(still);
  });

  test('float64 networks compute in float64', async () => {
    using net = tinyNetwork({ dtype: 'float64' });
    const denoised = net.denoise(new Generator(1).normal([1, 2, 4, 4]), 0.5);
    expect(denoised.dtype).toBe('float64');
    expect((await denoised.data()) instanceof Float64Array).toBe(true);
  });
});

describe('bad input names what is wrong', () => {
  test.each([
    ['images of another size', (net: Precond) => net.denoise(tensor([1]).reshape(1, 1, 1, 1), 1), /\[N, 2, 4, 4\]/],
    ['too many sigmas', (net: Precond) => net.denoise(images(2), tensor([1, 2, 3])), /3 sigmas for 2 images/],
    [
      'labels of another length',
      (net: Precond) => net.denoise(images(2), 1, tensor([[1, 0]])),
      /wants labels \[2, 3\]/,
    ],
    ['class numbers', (net: Precond) => net.denoise(images(2), 1, tensor([1, 0])), /oneHot/],
    ['labels that are no tensor', (net: Precond) => net.denoise(images(2), 1, [1, 0] as never), /got object.*oneHot/],
    ['noise level 0', (net: Precond) => net.denoise(images(2), 0), /sigma must be above 0, got 0/],
  ])('%s', (_, use, message) => {
    using net = tinyNetwork();
    expect(() => use(net)).toThrow(message);
  });

  test('resolutions that cannot be halved often enough', () => {
    expect(() => new Precond({ imgResolution: 12, imgChannels: 3, labelDim: 0 })).toThrow(/divisible by 8, got 12/);
    expect(() => tinyNetwork({ channelMult: [] })).toThrow(/channelMult is empty/);
  });

  test.each([
    [{ modelChannels: 0 }, 'UNet: modelChannels must be a whole number of at least 1, got 0'],
    [{ imgResolution: 0 }, 'UNet: imgResolution must be a whole number of at least 1, got 0'],
    [{ channelMult: [0.3] }, /MPFourier: channels must be a whole number of at least 1, got 2\.4/],
    [{ labelDim: -1 }, 'UNet: labelDim must be a whole number, 0 for an unconditional network, got -1'],
    [{ sigmaData: 0 }, 'Precond: sigmaData must be above 0, got 0'],
  ])('sizes that are none: %o', (options, message) => {
    expect(() => tinyNetwork(options)).toThrow(message);
  });

  const images = (count: number) => new Generator(1).normal([count, 2, 4, 4]);
});
