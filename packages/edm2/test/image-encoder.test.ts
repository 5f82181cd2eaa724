import { Generator, type Tensor, tensor, zeros } from '@evenkeel/tensor';
import { describe, expect, test } from 'vitest';
import { largestDeviation } from '../src/conformance/compare.ts';
import { type ImageDataset, imageEncoderFor, labelRows, rgbEncoder, stabilityVaeEncoder } from '../src/data/index.ts';
import { pixelsToLatents } from '../src/data/rgb.ts';
import { trainingExamples } from '../src/train/batch.ts';
import { pictureSet } from './picture-set.ts';

const valuesOf = async (t: Tensor): Promise<number[]> => [...((await t.data()) as Float32Array)];
/** Of a number below 2, half a unit in its last place: the JavaScript backend rounds once where float32 rounds twice. */
const oneRounding = 2 ** -24;

describe('pixels', () => {
  test('every value is encoded in the graph as on the host, to a rounding, and comes back', async () => {
    const every = Float32Array.from({ length: 768 }, (_, i) => i % 256);
    const latents = rgbEncoder().encode(tensor(every, { shape: [1, 3, 16, 16] }), new Generator(0));
    expect(largestDeviation(await valuesOf(latents), pixelsToLatents(every))).toBeLessThanOrEqual(oneRounding);
    const [pixels] = await rgbEncoder().decode(latents);
    expect([...pixels!]).toEqual([...every]);
  });

  test('decoding gives an array for each image', async () => {
    const decoded = await rgbEncoder(1).decode(tensor([-1, 0, 1, 2], { shape: [2, 1, 1, 2] }));
    expect(decoded).toEqual([new Uint8Array([0, 128]), new Uint8Array([255, 255])]);
  });
});

describe('latents of the Stable Diffusion VAE', () => {
  const encoder = stabilityVaeEncoder();

  test('are drawn anew each time, with the mean and the standard deviation that are stored', async () => {
    const moments = zeros([1, 8, 64, 64]).add(tensor([1, 2, 3, 4, 0, 0.5, 1, 2], { shape: [1, 8, 1, 1] }));
    const random = new Generator(5);
    const [first, second] = [encoder.encode(moments, random), encoder.encode(moments, random)];
    expect(first.shape).toEqual([1, 4, 64, 64]);
    const [mean, std] = [first.mean([0, 2, 3]), first.std([0, 2, 3])];
    const scale = [4.17, 4.62, 3.71, 3.28].map((raw) => 0.5 / raw);
    const wanted = [1 - 5.81, 2 - 3.25, 3 - 0.12, 4 + 2.15].map((value, c) => value * scale[c]!);
    // Six standard errors of 4,096 draws.
    for (const [c, value] of (await valuesOf(mean)).entries()) {
      expect(Math.abs(value - wanted[c]!)).toBeLessThan(1e-5 + (6 * [0, 0.5, 1, 2][c]! * scale[c]!) / 64);
    }
    for (const [c, value] of (await valuesOf(std)).entries()) {
      expect(Math.abs(value / scale[c]! - [0, 0.5, 1, 2][c]!)).toBeLessThan(
        1e-5 + (6 * [0, 0.5, 1, 2][c]!) / 64 / 2 ** 0.5,
      );
    }
    expect(await first.sub(second).abs().max().item()).toBeGreaterThan(0.1);
  });

  test('decoding undoes the scale, clips, and works on one image at a time', async () => {
    const seen: number[][] = [];
    const vae = {
      decode(latents: Tensor): Tensor {
        seen.push([...latents.shape]);
        return latents.slice(null, [0, 3]).mul(0.1);
      },
    };
    const raw = tensor([5.81, 3.25, -7, -2.15, 4.005, 12, 0, 0], { shape: [2, 4, 1, 1] });
    const moments = raw.reshape([2, 4, 1, 1]);
    const latents = encoder.encode(
      moments.pad([
        [0, 0],
        [0, 4],
        [0, 0],
        [0, 0],
      ]),
      new Generator(0),
    );
    const pixels = await stabilityVaeEncoder({ vae }).decode(latents);
    expect(seen).toEqual([
      [1, 4, 1, 1],
      [1, 4, 1, 1],
    ]);
    expect(pixels.map((image) => [...image])).toEqual([
      [148, 82, 0],
      [102, 255, 0],
    ]);
  });

  test('cannot be decoded without a VAE', async () => {
    await expect(encoder.decode(zeros([1, 4, 8, 8]))).rejects.toThrow(/has no VAE/);
  });
});

describe('the encoder that a data set asks for', () => {
  test.each([
    [1, 'rgb', 1],
    [3, 'rgb', 3],
    [8, 'stability-vae', 4],
  ])('%d channels: %s, %d channels of latents', (channels, name, latentChannels) => {
    expect(imageEncoderFor(channels)).toMatchObject({ name, latentChannels });
  });

  test('is none for other numbers of channels', () => {
    expect(() => imageEncoderFor(4)).toThrow(/images of 4 channels are neither/);
    expect(() => rgbEncoder().encode(zeros([1, 4, 2, 2]), new Generator(0))).toThrow('wants [N, 3, H, W]');
  });
});

describe('training examples', () => {
  const latents = (label?: (index: number) => number | Float32Array): ImageDataset => ({
    name: 'latents',
    length: 3,
    channels: 8,
    resolution: 2,
    labelDim: label === undefined ? 0 : 2,
    image: async (index) => new Float32Array(32).fill(300 + index),
    ...(label && { label }),
  });

  test('of latents are handed out as stored, without labels where there are none', async () => {
    const { images, labels } = await trainingExamples(latents(), { raw: true }).batch([2, 0]);
    expect(images.shape).toEqual([2, 8, 2, 2]);
    expect(await valuesOf(images.mean([1, 2, 3]))).toEqual([302, 300]);
    expect(labels).toBeNull();
  });

  test('have vectors as they are and classes one-hot', async () => {
    const vectors = latents((index) => new Float32Array([index, 0.5]));
    const { labels } = await trainingExamples(vectors, { raw: true }).batch([2, 1]);
    expect(await valuesOf(labels!)).toEqual([2, 0.5, 1, 0.5]);
    expect(
      labelRows(
        latents((index) => index % 2),
        [0, 1],
      ),
    ).toEqual(new Float32Array([1, 0, 0, 1]));
  });

  test('of pixels are the same whether they are encoded before or in the step', async () => {
    const set = pictureSet([0, 1, 1, 2]);
    const before = await trainingExamples(set).batch([2, 0, 3]);
    const raw = await trainingExamples(set, { raw: true }).batch([2, 0, 3]);
    const within = rgbEncoder(1).encode(raw.images, new Generator(0));
    const deviation = largestDeviation(await valuesOf(within), await valuesOf(before.images));
    expect(deviation).toBeLessThanOrEqual(oneRounding);
  });

  test('of latents are refused where pixels are wanted', () => {
    expect(() => trainingExamples(latents())).toThrow(/latents holds no pixels. Pass { raw: true }/);
  });
});
