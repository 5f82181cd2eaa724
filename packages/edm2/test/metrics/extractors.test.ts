import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  collectDataset,
  dinov2Features,
  emoji16Features,
  type ImageDataset,
  inceptionFeatures,
  loadEmoji16,
  loadEmoji16Classifier,
  metrics,
  type OnnxTensor,
  pixelBatch,
  StatisticsCollector,
  subset,
} from '../../src/index.ts';
import { loadExtractors, type OnnxRuntime } from '../../src/node/index.ts';

class FakeTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
  constructor(type: string, data: unknown, dims: readonly number[]) {
    this.type = type;
    this.data = data;
    this.dims = dims;
  }
}

/** A network whose features of a picture are its first value, then zeros; it records what it was given. */
function fakeNetwork(dims: (count: number) => number[], type?: string) {
  const given: FakeTensor[] = [];
  const session = {
    inputNames: ['pixels'],
    outputNames: ['features'],
    ...(type === undefined ? {} : { inputMetadata: [{ name: 'pixels', type }] }),
    async run(feeds: Readonly<Record<string, OnnxTensor>>) {
      const input = feeds.pixels as FakeTensor;
      given.push(input);
      const count = input.dims[0] as number;
      const shape = dims(count);
      const data = new Float32Array(shape.reduce((product, size) => product * size));
      const values = input.data as Float32Array;
      for (let i = 0; i < count; i++) data[(i * data.length) / count] = values[(i * values.length) / count]!;
      return { features: new FakeTensor('float32', data, shape) };
    },
  };
  return { network: { session, Tensor: FakeTensor, file: 'fake.onnx' }, given };
}

const pictures = [new Uint8Array(16).fill(10), new Uint8Array(16).fill(200)];
const batch = pixelBatch(pictures, 1);

describe('pictures', () => {
  test('of one channel become RGB', () => {
    expect(batch.shape).toEqual([2, 3, 4, 4]);
    expect([...batch.data.slice(0, 48)].every((value) => value === 10)).toBe(true);
    expect(pixelBatch([new Uint8Array(12)], 3).shape).toEqual([1, 3, 2, 2]);
  });

  test('of other channels, sizes or none are refused', () => {
    expect(() => pixelBatch([], 3)).toThrow(/no square picture/);
    expect(() => pixelBatch([new Uint8Array(16)], 4)).toThrow(/4 channels, grey or RGB/);
    expect(() => pixelBatch([new Uint8Array(16), new Uint8Array(9)], 1)).toThrow(/picture 1 has 9 values, others 16/);
  });
});

describe('Inception', () => {
  test('is given pixels as they are, in the type that it takes', async () => {
    for (const type of [undefined, 'float32', 'uint8']) {
      const { network, given } = fakeNetwork((count) => [count, 2048], type);
      const features = await inceptionFeatures(network).features(batch);
      expect(features).toHaveLength(4096);
      expect([features[0], features[2048]]).toEqual([10, 200]);
      expect(given[0]).toMatchObject({ type: type ?? 'float32', dims: [2, 3, 4, 4] });
    }
  });

  test('of pooled features [N, D, 1, 1] is taken, another network is not', async () => {
    const pooled = fakeNetwork((count) => [count, 2048, 1, 1]);
    expect((await inceptionFeatures(pooled.network).features(batch))[2048]).toBe(200);
    const classes = fakeNetwork((count) => [count, 1000]);
    await expect(inceptionFeatures(classes.network).features(batch)).rejects.toThrow(
      /fake\.onnx: output 'features' is \[2, 1000\] for 2 pictures, wanted 2048 numbers/,
    );
  });
});

test('DINOv2 is given 224 x 224 pictures of ImageNet statistics; its first token counts', async () => {
  const { network, given } = fakeNetwork((count) => [count, 5, 1024]);
  const features = await dinov2Features(network).features(batch);
  expect(given[0]).toMatchObject({ type: 'float32', dims: [2, 3, 224, 224] });
  const input = given[0]!.data as Float32Array;
  [0, 1, 2].forEach((channel) => {
    const expected = (10 / 255 - [0.485, 0.456, 0.406][channel]!) / [0.229, 0.224, 0.225][channel]!;
    expect(input[channel * 224 * 224 + 777]).toBeCloseTo(expected, 5);
  });
  expect(features).toHaveLength(2048);
  expect(features[1024]).toBeCloseTo((200 / 255 - 0.485) / 0.229, 5);
});

describe('loading', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-onnx-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'inception.onnx');
  writeFileSync(file, 'weights');
  const { session } = fakeNetwork((count) => [count, 2048]).network;
  const runtime: OnnxRuntime = { InferenceSession: { create: async () => session }, Tensor: FakeTensor };

  test('takes the files that are given', async () => {
    const extractors = await loadExtractors([metrics.get('kid')!, metrics.get('fid')!], { inception: file, runtime });
    expect([...extractors.keys()]).toEqual(['inception']);
  });

  test('says which file is missing, not there or no network', async () => {
    const load = (metric: string, files = {}) => loadExtractors([metrics.get(metric)!], files);
    await expect(load('fd_dinov2')).rejects.toThrow(
      'fd_dinov2 needs the weights of dinov2 as an ONNX file: give --dinov2 FILE',
    );
    await expect(load('fid', { inception: 'nowhere.onnx' })).rejects.toThrow(
      '--inception nowhere.onnx: there is no such file',
    );
    const broken = { ...runtime, InferenceSession: { create: () => Promise.reject(new Error('no protobuf\nat x')) } };
    await expect(load('fid', { inception: file, runtime: broken })).rejects.toThrow(/that can be run \(no protobuf\)$/);
  });
});

describe('collecting', async () => {
  const emoji = await loadEmoji16();
  const classifier = await loadEmoji16Classifier();
  afterAll(() => classifier[Symbol.dispose]());
  const extractors = new Map([['emoji16', emoji16Features(classifier)]] as const);
  const fdSmall = metrics.get('fd_small')!;
  const few = subset(emoji, [0, 1, 2, 3, 4, 5, 2086, 2087, 2088, 2089]);

  test('does not depend on batches, and takes images by seed where there are more', async () => {
    const run = async (options: object) => {
      const collector = new StatisticsCollector({ metrics: [fdSmall, metrics.get('kid_small')!], extractors });
      await collectDataset(few, collector, options);
      return collector.result();
    };
    const [all, cut] = [await run({}), await run({ batchSize: 3 })];
    expect(cut.count).toBe(10);
    expect(cut.features.get('kid_small')!.rows).toHaveLength(800);
    const [a, b] = [all.moments.get('fd_small')!, cut.moments.get('fd_small')!];
    // Features are float32 sums of another order, of magnitude 1.
    a.mean.forEach((mean, i) => {
      expect(Math.abs(mean - b.mean[i]!)).toBeLessThan(1e-5);
    });
    expect(await run({ num: 6, seed: 1 })).toEqual(await run({ num: 6, seed: 1 }));
    expect(await run({ num: 6, seed: 1 })).not.toEqual(await run({ num: 6, seed: 2 }));
  });

  test('lets classes count alike', async () => {
    const gather = async (indices: number[], balanced: boolean) => {
      const collector = new StatisticsCollector({ metrics: [fdSmall], extractors, balanced });
      await collectDataset(subset(emoji, indices), collector);
      return collector.result().moments.get('fd_small')!.mean;
    };
    const [persons, clocks] = [await gather([0, 1, 2, 3], false), await gather([2088, 2089], false)];
    const both = await gather([0, 1, 2, 3, 2088, 2089], true);
    both.forEach((mean, i) => {
      expect(Math.abs(mean - (persons[i]! + clocks[i]!) / 2)).toBeLessThan(1e-5);
    });
  });

  test('refuses what cannot be measured, in one line', async () => {
    const collector = new StatisticsCollector({ metrics: [fdSmall], extractors });
    await expect(collectDataset(few, collector, { num: 11 })).rejects.toThrow(
      'emoji16: holds 10 images, 11 are asked for',
    );
    const latents: ImageDataset = {
      name: 'l',
      length: 2,
      channels: 8,
      resolution: 4,
      labelDim: 0,
      image: () => new Float32Array(128),
    };
    await expect(collectDataset(latents, collector)).rejects.toThrow(
      'l: holds latents of 8 channels; metrics need pixels',
    );
    expect(() => collector.result()).toThrow('got no images');
    expect(() => new StatisticsCollector({ metrics: [metrics.get('fid')!], extractors })).toThrow(
      'fid needs features of inception',
    );
    const kernel = [metrics.get('kid_small')!];
    expect(() => new StatisticsCollector({ metrics: kernel, extractors, balanced: true })).toThrow(
      'cannot be balanced',
    );
  });
});
