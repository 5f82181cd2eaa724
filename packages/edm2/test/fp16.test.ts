import { wasm } from '@evenkeel/backend-wasm';
import { type ForwardEvent, withProbe } from '@evenkeel/nn';
import { type Backend, createJsBackend, Generator, Tensor, tensor, withBackend } from '@evenkeel/tensor';
import { guardLeaks } from '@evenkeel/tensor/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Precond, Trainer } from '../src/index.ts';
import { tinyNetwork } from './tiny-network.ts';

guardLeaks({ beforeEach, afterEach });

const steps = 16;

/** Stripes, one pattern a class, with a little noise. */
async function stripes(seed: number): Promise<{ images: Tensor; labels: Tensor }> {
  const noise = (await new Generator(seed).normal([8, 2, 4, 4], { std: 0.05 }).data()) as Float32Array;
  const images = noise.map((value, i) => {
    const pixel = i % 16;
    const patterns = [pixel % 2, Math.floor(pixel / 4) % 2, Math.floor(pixel / 8)];
    return value - 0.5 + (patterns[Math.floor(i / 32) % 3] as number);
  });
  const labels = Float32Array.from({ length: 24 }, (_, i) => Number(i % 3 === Math.floor(i / 3) % 3));
  return { images: tensor(images, { shape: [8, 2, 4, 4] }), labels: tensor(labels, { shape: [8, 3] }) };
}

async function train(fp16: boolean, lossScale: number): Promise<number[]> {
  using net = tinyNetwork({ fp16 });
  let batch = 0;
  const learningRate = { referenceRate: 0.02, decayBatches: 20, rampupImages: 0 };
  using trainer = new Trainer(net, { next: () => stripes(batch++) }, { batchSize: 8, lossScale, learningRate });
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) losses.push(await (await trainer.step()).loss.item());
  return losses;
}

describe('activations in half precision', () => {
  test('are float16 from the first convolution to the last; weights, embedding and results are float32', () => {
    using net = tinyNetwork({ fp16: true });
    const dtypes = new Map<string, string>();
    const onForward = ({ path, output }: ForwardEvent) => {
      if (output instanceof Tensor) dtypes.set(path, output.dtype);
    };
    const x = new Generator(1).normal([2, 2, 4, 4]);
    const { denoised, logvar } = withProbe({ onForward }, () => net.call(x, tensor([0.5, 2])));
    expect([denoised.dtype, logvar.dtype]).toEqual(['float32', 'float32']);
    const of = (dtype: string) => [...dtypes].filter(([, each]) => each === dtype).map(([path]) => path);
    const wide = of('float32').filter((path) => !/emb|logvar/i.test(path));
    expect(wide).toEqual([]);
    expect(of('float16').length).toBeGreaterThan(30);
    for (const parameter of net.parameters()) expect(parameter.dtype).toBe('float32');
  });

  test('are for float32 weights', () => {
    const options = { imgResolution: 4, imgChannels: 2, labelDim: 0, modelChannels: 4, channelMult: [1], numBlocks: 1 };
    expect(() => new Precond({ ...options, fp16: true, dtype: 'float64' })).toThrow(/fp16 is for float32 weights/);
  });

  const backends: [string, () => Backend][] = [
    ['js', () => createJsBackend()],
    ['wasm', () => wasm({ threads: 2 })],
  ];
  test.each(backends)('train as float32 does, with a loss scale, %s', async (_, create) => {
    const backend = create();
    const [single, half] = await withBackend(
      backend,
      async () => [await train(false, 1), await train(true, 128)] as const,
    );
    await backend.dispose();
    expect(half).not.toEqual(single);
    expect(single.at(-1)).toBeLessThan(0.85 * (single[0] as number));
    // A rounding is off by 2^-11 at most, and is as often too high as too low: losses of 30 seeds differed by 1.1 times
    // that at most, over 24 steps. Eight times that is the limit.
    const limit = 8 * 2 ** -11 * (single[0] as number);
    half.forEach((loss, step) => {
      expect(Math.abs(loss - (single[step] as number)), `step ${step}`).toBeLessThan(limit);
    });
  });

  test('need the loss scale: gradients that float16 does not hold are lifted into its range', async () => {
    const norm = async (fp16: boolean, lossScale: number): Promise<number> => {
      using net = tinyNetwork({ fp16 });
      net.unet.outGain.assign(tensor(1));
      using trainer = new Trainer(net, { next: () => stripes(1) }, { batchSize: 8, lossScale, gradientNorm: true });
      return (await (await trainer.step()).gradientNorm!.item()) / lossScale;
    };
    const exact = await norm(false, 1);
    // Below 2^-25 float16 has nothing but 0.
    expect(Math.abs((await norm(true, 2 ** -28)) / exact - 1)).toBeGreaterThan(0.1);
    expect(Math.abs((await norm(true, 1)) / exact - 1)).toBeLessThan(0.01);
  });
});
