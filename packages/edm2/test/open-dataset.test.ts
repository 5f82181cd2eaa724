import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openImageDataset } from '@evenkeel/edm2/node';
import { decodePng, encodePng, writeNpy } from '@evenkeel/formats';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  classBalanced,
  type ImageDataset,
  labelRows,
  labelsOf,
  randomSubset,
  splitHeldOut,
} from '../src/data/index.ts';
import { labelTable, readLabelFile } from '../src/node/data/label-file.ts';
import { decodeWithSharp } from '../src/node/data/sharp.ts';
import { labelFile, noise, pngOf, writeFolder, writeZip } from './image-files.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'evenkeel-data-'));
});
afterEach(() => rmSync(scratch, { recursive: true }));

const at = (name: string) => join(scratch, name);

async function imagesOf(dataset: ImageDataset): Promise<number[][]> {
  const images = await Promise.all(Array.from({ length: dataset.length }, (_, index) => dataset.image(index)));
  return images.map((image) => [...image]);
}

/** Channels first. */
function planarPixels(png: Uint8Array): number[] {
  const { data, channels } = decodePng(png);
  return Array.from({ length: channels }, (_, c) => [...data].filter((__, i) => i % channels === c)).flat();
}

describe('a folder and a zip of the same files', () => {
  const files = {
    'b/2.png': pngOf(2),
    'a/1.png': pngOf(1),
    'a/notes.txt': 'no image',
    'c.PNG': pngOf(3),
    'dataset.json': labelFile({ 'b/2.png': 4, 'a/1.png': 0, 'c.PNG': 2, 'gone.png': 9 }),
  };
  const sorted = ['a/1.png', 'b/2.png', 'c.PNG'] as const;

  test.each(['folder', 'zip'])(
    '%s: images in the order of their names, classes up to the largest label',
    async (kind) => {
      const path = kind === 'zip' ? await writeZip(at('set.zip'), files) : writeFolder(at('set'), files);
      await using dataset = await openImageDataset(path);
      expect(dataset).toMatchObject({ length: 3, channels: 3, resolution: 4, labelDim: 5 });
      expect(await imagesOf(dataset)).toEqual(sorted.map((name) => planarPixels(files[name])));
      expect([...labelsOf(dataset)]).toEqual([0, 4, 2]);
      expect(labelRows(dataset, [1])).toEqual(new Float32Array([0, 0, 0, 0, 1]));
      expect([0, 1, 2].map((position) => classBalanced(dataset).at(position)).sort()).toEqual([0, 1, 2]);
      expect(() => dataset.label!(3)).toThrow(/image 3 of 3/);
      await expect((async () => dataset.image(-1))()).rejects.toThrow(/image -1 of 3/);
    },
  );

  test('labels may be left', async () => {
    await using dataset = await openImageDataset(writeFolder(at('set'), files), { useLabels: false });
    expect([dataset.labelDim, dataset.label]).toEqual([0, undefined]);
    expect(() => labelsOf(dataset)).toThrow('set: has no labels');
    expect(splitHeldOut(dataset, { fraction: 0.4 }).heldOut).toHaveLength(1);
  });

  test.each([undefined, labelFile(null), '{}'])('no labels: dataset.json is %j', async (json) => {
    const path = writeFolder(at('set'), { 'a.png': pngOf(1), ...(json && { 'dataset.json': json }) });
    await using dataset = await openImageDataset(path);
    expect(dataset.labelDim).toBe(0);
  });

  test('labels may be vectors', async () => {
    const labels = labelFile({ 'a.png': [0.5, 2], 'b.png': [1, -1] });
    const path = writeFolder(at('set'), { 'a.png': pngOf(1), 'b.png': pngOf(2), 'dataset.json': labels });
    await using dataset = await openImageDataset(path);
    expect(dataset.labelDim).toBe(2);
    expect(labelRows(dataset, [1, 0])).toEqual(new Float32Array([1, -1, 0.5, 2]));
    expect(() => labelsOf(dataset)).toThrow('labels are vectors, not classes');
  });

  test.each([true, false])('an image is read again, or kept in memory: cache %j', async (cache) => {
    const path = writeFolder(at('set'), files);
    await using dataset = await openImageDataset(path, { cache });
    const [before] = await imagesOf(dataset);
    writeFileSync(join(path, 'a/1.png'), pngOf(9));
    const after = [...(await dataset.image(0))];
    expect(after).toEqual(cache ? before : planarPixels(pngOf(9)));
  });
});

describe('options', () => {
  const files = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`${String(i).padStart(2, '0')}.png`, pngOf(i)]),
  );
  const labels = labelFile(Object.fromEntries(Object.keys(files).map((name, i) => [name, i])));

  test('maxSize draws by the seed and keeps the order; classes are those of all images', async () => {
    const path = writeFolder(at('set'), { ...files, 'dataset.json': labels });
    const drawn = async (seed: number) => {
      await using dataset = await openImageDataset(path, { maxSize: 5, seed });
      expect([dataset.length, dataset.labelDim]).toEqual([5, 20]);
      return [...labelsOf(dataset)];
    };
    const first = await drawn(1);
    expect(first).toEqual([...new Set(first)].sort((a, b) => a - b));
    expect(await drawn(1)).toEqual(first);
    expect(await drawn(2)).not.toEqual(first);
    await using all = await openImageDataset(path, { maxSize: 100 });
    expect(all.length).toBe(20);
    expect(randomSubset(all, 20)).toBe(all);
    await expect(openImageDataset(path, { maxSize: 0 })).rejects.toThrow(
      'maxSize is 0, must be a whole number of at least 1',
    );
  });

  test('xflip appends mirrored copies with the same labels, on the same side of a split', async () => {
    const path = writeFolder(at('set'), { ...files, 'dataset.json': labels });
    await using dataset = await openImageDataset(path, { xflip: true, maxSize: 3 });
    expect(dataset.length).toBe(6);
    const images = await imagesOf(dataset);
    for (let i = 0; i < 3; i++) {
      const rows = Array.from({ length: 12 }, (_, row) => images[i]!.slice(row * 4, row * 4 + 4).reverse());
      expect(images[i + 3]).toEqual(rows.flat());
      expect(dataset.label!(i + 3)).toBe(dataset.label!(i));
      expect(dataset.group!(i + 3)).toBe(dataset.group!(i));
    }
    expect(() => dataset.label!(6)).toThrow(/image 6 of 6/);
  });

  test('a resolution that images do not have is refused', async () => {
    const path = writeFolder(at('set'), files);
    await expect(openImageDataset(path, { resolution: 8 })).rejects.toThrow(
      `${path}: images are 4 x 4 pixels, not 8 x 8. Resize them: edm2 dataset convert --resolution 8x8`,
    );
    await using dataset = await openImageDataset(path, { resolution: 4 });
    expect(dataset.resolution).toBe(4);
  });
});

describe('what images may be', () => {
  test('grey pictures have one channel', async () => {
    await using dataset = await openImageDataset(writeFolder(at('set'), { 'a.png': pngOf(1, 4, 4, 1) }));
    expect([dataset.channels, [...(await dataset.image(0))]]).toEqual([1, [...noise(1, 16)]]);
  });

  test('npy arrays of bytes and floats, leading axes taken together', async () => {
    const latents = Float32Array.from({ length: 8 * 4 }, (_, i) => i / 7);
    const path = writeFolder(at('latents'), {
      'a.npy': writeNpy({ dtype: 'float32', shape: [8, 2, 2], data: latents }),
      'b.npy': writeNpy({ dtype: 'float64', shape: [2, 4, 2, 2], data: Float64Array.from(latents) }),
    });
    await using dataset = await openImageDataset(path);
    expect([dataset.channels, dataset.resolution]).toEqual([8, 2]);
    expect(await imagesOf(dataset)).toEqual([[...latents], [...latents]]);
    const bytes = writeNpy({ dtype: 'uint8', shape: [2, 2], data: new Uint8Array([1, 2, 3, 4]) });
    await using pixels = await openImageDataset(writeFolder(at('pixels'), { 'a.npy': bytes }));
    expect(await pixels.image(0)).toEqual(new Uint8Array([1, 2, 3, 4]));
  });

  test('other pictures are read by sharp, which says itself when it is missing', async () => {
    const path = writeFolder(at('set'), { 'a.jpg': new Uint8Array([255, 216]) });
    await expect(openImageDataset(path)).rejects.toThrow(
      `${path}: a.jpg: only PNG and npy are read without the package 'sharp'. Install it: npm install sharp`,
    );
    const data = Buffer.from([1, 2, 3, 4, 5, 6]);
    const info = { width: 2, height: 1, channels: 3 };
    const spaces: string[] = [];
    const sharp = (space: string, toBuffer: () => Promise<unknown>) => async () =>
      (() => ({
        metadata: async () => ({ space }),
        toColourspace(wanted: string) {
          spaces.push(wanted);
          return { raw: () => ({ toBuffer }) };
        },
      })) as never;
    const decode = (space: string, toBuffer: () => Promise<unknown>) =>
      decodeWithSharp(new Uint8Array(), 'a.jpg', sharp(space, toBuffer));
    for (const space of ['srgb', 'cmyk', 'b-w']) {
      expect(await decode(space, async () => ({ data, info }))).toEqual({ ...info, data: new Uint8Array(data) });
    }
    expect(spaces).toEqual(['srgb', 'srgb', 'b-w']);
    await expect(decode('srgb', () => Promise.reject(new Error('premature end\nof image')))).rejects.toThrow(
      'a.jpg: damaged or cut off (premature end)',
    );
  });

  test('emoji16 has its name', async () => {
    await using emoji = await openImageDataset('emoji16', { maxSize: 100 });
    expect(emoji).toMatchObject({ name: 'emoji16', length: 100, channels: 3, resolution: 16, labelDim: 10 });
    await using plain = await openImageDataset('emoji16', { useLabels: false });
    expect([plain.length, plain.labelDim, plain.label, plain.classNames]).toEqual([2090, 0, undefined, undefined]);
  });
});

describe('idx files', () => {
  const idx = (shape: readonly number[], data: ArrayLike<number>) => {
    const header = new Uint8Array(4 + 4 * shape.length);
    const view = new DataView(header.buffer);
    view.setUint32(0, 0x0800 + shape.length);
    for (const [axis, size] of shape.entries()) view.setUint32(4 + 4 * axis, size);
    return Uint8Array.from([...header, ...Array.from(data)]);
  };
  const files = {
    'train-images-idx3-ubyte.gz': gzipSync(idx([3, 2, 2], noise(1, 12))),
    'train-labels-idx1-ubyte.gz': gzipSync(idx([3], [1, 0, 6])),
    't10k-images-idx3-ubyte': idx([1, 2, 2], noise(2, 4)),
    't10k-labels-idx1-ubyte': idx([1], [3]),
  };

  test('both parts are read, packed or not', async () => {
    const path = writeFolder(at('mnist'), files);
    await using dataset = await openImageDataset(path);
    expect(dataset).toMatchObject({ name: 'mnist', length: 3, channels: 1, resolution: 2, labelDim: 7 });
    expect((await imagesOf(dataset)).flat()).toEqual([...noise(1, 12)]);
    expect([...labelsOf(dataset)]).toEqual([1, 0, 6]);
    await using held = await openImageDataset(path, { split: 'test' });
    expect([held.length, held.labelDim]).toEqual([1, 4]);
    await using plain = await openImageDataset(path, { useLabels: false });
    expect(plain.labelDim).toBe(0);
  });

  test.each([
    ['cut off', { 'train-images-idx3-ubyte': idx([3, 2, 2], noise(1, 11)) }, /takes 12 bytes, the file has 11/],
    [
      'huge by its header',
      { 'train-images-idx3-ubyte': idx([2 ** 31, 2, 2], [0]) },
      /takes 8589934592 bytes, the file has 1/,
    ],
    [
      'of floats',
      { 'train-images-idx3-ubyte': Uint8Array.of(0, 0, 13, 3, ...new Uint8Array(12)) },
      /is not an idx file of bytes with 3 axes/,
    ],
    ['no gzip', { 'train-images-idx3-ubyte.gz': 'plain' }, /cannot be read \(incorrect header check\)/],
    ['not square', { 'train-images-idx3-ubyte': idx([1, 2, 3], noise(1, 6)) }, /holds 3 x 2 pixels, not square/],
    [
      'of another number of labels',
      { 'train-images-idx3-ubyte': idx([1, 1, 1], [0]), 'train-labels-idx1-ubyte': idx([2], [0, 1]) },
      /has 2 labels, train-images-idx3-ubyte 1 images/,
    ],
  ])('%s: one line', async (_, broken, message) => {
    await expect(openImageDataset(writeFolder(at('mnist'), broken))).rejects.toThrow(message);
  });
});

describe('bad input gives one line', () => {
  const both = { 'a.png': pngOf(1), 'b.png': pngOf(2) };

  test.each<[string, Record<string, Uint8Array | string>, RegExp]>([
    ['no images', { 'a.txt': '' }, /set: holds no images \(png, npy, jpg, webp, \.\.\.\)$/],
    ['not square', { 'a.png': pngOf(1, 4, 3) }, /set: a\.png is 4 x 3 pixels, and images must be square\. Crop them: /],
    ['a PNG cut off', { 'a.png': pngOf(1).slice(0, 60) }, /set: a\.png: damaged or cut off \(/],
    ['no PNG at all', { 'a.png': 'text' }, /set: a\.png: not a PNG file$/],
    [
      'an npy cut off',
      { 'a.npy': writeNpy({ dtype: 'float32', shape: [2], data: new Float32Array(2) }).slice(0, 130) },
      /set: a\.npy: shape \[2\] takes 8 bytes/,
    ],
    [
      'an npy of one axis',
      { 'a.npy': writeNpy({ dtype: 'float32', shape: [2], data: new Float32Array(2) }) },
      /set: a\.npy: shape \[2\] is not \[C, H, W\]/,
    ],
    [
      'an npy of int64',
      { 'a.npy': writeNpy({ dtype: 'int64', shape: [1, 1], data: new BigInt64Array(1) }) },
      /set: a\.npy: holds int64/,
    ],
    [
      'labels cut off',
      { ...both, 'dataset.json': '{"labels": [["a.p' },
      /set: dataset\.json is not JSON\. Is it cut off\?$/,
    ],
    ['labels of another form', { ...both, 'dataset.json': '{"labels": {"a.png": 0}}' }, /no list of \[path, label\]/],
    [
      'an entry of another form',
      { ...both, 'dataset.json': '{"labels": [["a.png"], 3]}' },
      /gives "a\.png" the label undefined\. Labels are/,
    ],
    [
      'a missing label',
      { ...both, 'dataset.json': labelFile({ 'a.png': 0 }) },
      /set: dataset\.json has no label for "b\.png"$/,
    ],
    [
      'a negative label',
      { ...both, 'dataset.json': labelFile({ 'a.png': -1, 'b.png': 0 }) },
      /gives "a\.png" the label -1\. Labels are whole numbers from 0/,
    ],
    [
      'a label between',
      { ...both, 'dataset.json': labelFile({ 'a.png': 0.5, 'b.png': 0 }) },
      /gives "a\.png" the label 0\.5/,
    ],
    [
      'a huge label',
      { ...both, 'dataset.json': labelFile({ 'a.png': 2 ** 40, 'b.png': 0 }) },
      /the label 1099511627776, above the limit of 1048575/,
    ],
    ['a label that is text', { ...both, 'dataset.json': labelFile({ 'a.png': 'cat', 'b.png': 0 }) }, /the label "cat"/],
    [
      'vectors that differ',
      { ...both, 'dataset.json': labelFile({ 'a.png': [1, 2], 'b.png': [1] }) },
      /the label of "b\.png" is a vector of 1, of "a\.png" a vector of 2/,
    ],
    [
      'classes and vectors',
      { ...both, 'dataset.json': labelFile({ 'a.png': 0, 'b.png': [1] }) },
      /the label of "b\.png" is a vector of 1, of "a\.png" a class/,
    ],
  ])('%s', async (_, files, message) => {
    const opening = openImageDataset(writeFolder(at('set'), files));
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toThrow(/^[^\n]+$/);
  });

  test('whatever stands in dataset.json, labels come out or one line says why not', () => {
    const labels = fc.array(
      fc.oneof(fc.jsonValue(), fc.tuple(fc.constantFrom('a.png', 'b.png'), fc.jsonValue({ maxDepth: 1 }))),
    );
    const json = fc.oneof(fc.jsonValue(), fc.record({ labels }), fc.record({ labels: fc.jsonValue() }));
    fc.assert(
      fc.property(json, (value) => {
        const bytes = new TextEncoder().encode(JSON.stringify(value));
        try {
          const found = readLabelFile(bytes, 'set');
          if (found === null) return;
          const { labelDim, label } = labelTable(['a.png', 'b.png'], found, 'set');
          for (const one of [label(0), label(1)]) {
            if (typeof one === 'number') expect(one).toBeLessThan(labelDim);
            else expect(one).toHaveLength(labelDim);
          }
        } catch (error) {
          expect((error as Error).message).toMatch(/^set: [^\n]+$/);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('nothing at the path; a file that is no zip; a zip cut off', async () => {
    await expect(openImageDataset(at('none'))).rejects.toThrow(`${at('none')}: does not exist`);
    writeFileSync(at('a.txt'), 'text');
    await expect(openImageDataset(at('a.txt'))).rejects.toThrow(
      'a.txt: not a zip archive, or cut off: no end of directory',
    );
    await writeZip(at('set.zip'), both);
    truncateSync(at('set.zip'), 150);
    await expect(openImageDataset(at('set.zip'))).rejects.toThrow('set.zip: not a zip archive, or cut off');
  });

  test('images of other sizes, when they are read', async () => {
    const files = { 'a.png': pngOf(1), 'b.png': pngOf(2, 8), 'c.png': pngOf(3, 4, 4, 1) };
    await using dataset = await openImageDataset(writeFolder(at('set'), files));
    await expect(dataset.image(1)).rejects.toThrow(
      /set: b\.png is 3 x 8 x 8 \(pixels\), the first image 3 x 4 x 4 \(pixels\)\. All must be of one size$/,
    );
    await expect(dataset.image(2)).rejects.toThrow(/c\.png is 1 x 4 x 4/);
  });

  test('a pixel that changed in a zip does not go unnoticed', async () => {
    const png = encodePng({ width: 4, height: 4, channels: 3, data: noise(1, 48) }, { level: 0 });
    await writeZip(at('set.zip'), { 'a.png': pngOf(1), 'b.png': png });
    const bytes = readFileSync(at('set.zip'));
    bytes[bytes.indexOf(png) + 60]! ^= 1;
    writeFileSync(at('set.zip'), bytes);
    await using dataset = await openImageDataset(at('set.zip'));
    await expect(dataset.image(1)).rejects.toThrow('set.zip: "b.png" is cut off or damaged');
  });
});
