import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertDataset, datasetInfo, decodeDataset, encodeDataset, openImageDataset } from '@evenkeel/edm2/node';
import { decodePng, encodePng, readNpy, writeNpy } from '@evenkeel/formats';
import { ZipFile } from '@evenkeel/formats/node';
import { commit, Generator, tensor } from '@evenkeel/tensor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { labelsOf, stabilityVaeEncoder, transformImage } from '../src/data/index.ts';
import { AutoencoderKL } from '../src/vae/index.ts';
import { labelFile, noise, pngOf, writeFolder, writeZip } from './image-files.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'evenkeel-work-'));
});
afterEach(() => rmSync(scratch, { recursive: true }));

const at = (name: string) => join(scratch, name);
const crop = { transform: 'center-crop', size: [4, 4] } as const;

async function zipContent(path: string): Promise<Record<string, Uint8Array>> {
  await using zip = await ZipFile.open(path);
  const entries = zip.entries.map(async (entry) => [entry.name, await zip.read(entry)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

const textOf = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as unknown;

describe('convert', () => {
  const photos = { 'dog/b.png': pngOf(2, 9, 6), 'cat/a.png': pngOf(1, 6, 8), 'dog/a.png': pngOf(3, 7, 7, 1) };

  test('writes stored images in order, and labels by folder', async () => {
    writeFolder(at('photos'), photos);
    const report = await convertDataset({ source: at('photos'), dest: at('out.zip'), ...crop });
    expect(report).toEqual({ written: 3, skipped: 0, unlabelled: 0 });
    const files = await zipContent(at('out.zip'));
    const names = [0, 1, 2].map((i) => `00000/img0000000${i}.png`);
    expect(Object.keys(files)).toEqual([...names, 'dataset.json']);
    expect(textOf(files['dataset.json']!)).toEqual({
      labels: [
        [names[0], 0],
        [names[1], 1],
        [names[2], 1],
      ],
    });
    const expected = transformImage(decodePng(photos['cat/a.png']), crop);
    expect(decodePng(files[names[0]!]!)).toEqual(expected);
    // Grey became RGB; PNGs are stored: 57 bytes of chunks, 11 of zlib and 1 a row beside the pixels.
    expect(decodePng(files[names[1]!]!).channels).toBe(3);
    expect(files[names[0]!]!.length).toBe(48 + 4 + 57 + 11);
    await using dataset = await openImageDataset(at('out.zip'));
    expect([...labelsOf(dataset)]).toEqual([0, 1, 1]);
  });

  test('a folder holds the same files as a zip archive', async () => {
    writeFolder(at('photos'), photos);
    await convertDataset({ source: at('photos'), dest: at('out.zip'), ...crop });
    await convertDataset({ source: at('photos'), dest: at('new/out'), ...crop });
    for (const [name, content] of Object.entries(await zipContent(at('out.zip')))) {
      expect(readFileSync(join(at('new/out'), name)).equals(content)).toBe(true);
    }
    expect(readdirSync(at('new'))).toEqual(['out']);
  });

  test('labels of dataset.json go before folders; one without a label leaves none', async () => {
    const labels = { 'dog/b.png': 7, 'cat/a.png': [0.5, 1], 'dog/a.png': 2 };
    await writeZip(at('photos.zip'), { ...photos, 'dataset.json': labelFile(labels) });
    await convertDataset({ source: at('photos.zip'), dest: at('out'), ...crop });
    const written = textOf(readFileSync(at('out/dataset.json'))) as { labels: [string, unknown][] };
    expect(written.labels.map(([, label]) => label)).toEqual([[0.5, 1], 2, 7]);
    await writeZip(at('some.zip'), { ...photos, 'dataset.json': labelFile({ 'dog/b.png': 7 }) });
    const report = await convertDataset({ source: at('some.zip'), dest: at('none'), ...crop });
    expect(report).toEqual({ written: 3, skipped: 0, unlabelled: 2 });
    expect(textOf(readFileSync(at('none/dataset.json')))).toEqual({ labels: null });
  });

  test('one folder alone is no class', async () => {
    writeFolder(at('photos'), { 'all/a.png': pngOf(1), 'all/b.png': pngOf(2) });
    expect(await convertDataset({ source: at('photos'), dest: at('out') })).toMatchObject({
      written: 2,
      unlabelled: 2,
    });
  });

  test('what is too small is left out and counted, its number with it', async () => {
    writeFolder(at('photos'), { 'a.png': pngOf(1, 3, 3), 'b.png': pngOf(2, 9, 6), 'c.png': pngOf(3, 8, 8) });
    const wide = { transform: 'center-crop-wide', size: [8, 4] } as const;
    const report = await convertDataset({ source: at('photos'), dest: at('out.zip'), ...wide });
    expect(report).toEqual({ written: 2, skipped: 1, unlabelled: 2 });
    expect(Object.keys(await zipContent(at('out.zip'))).slice(0, 2)).toEqual([
      '00000/img00000001.png',
      '00000/img00000002.png',
    ]);
    const large = { transform: 'center-crop-wide', size: [16, 8] } as const;
    await expect(convertDataset({ source: at('photos'), dest: at('none.zip'), ...large })).rejects.toThrow(
      'photos: none of 3 images is large enough',
    );
  });

  test('takes the first images, of emoji16 and idx files too, and tells its progress', async () => {
    const told: string[] = [];
    const onProgress = ({ done, total }: { done: number; total: number }) => void told.push(`${done}/${total}`);
    await convertDataset({ source: 'emoji16', dest: at('emoji.zip'), maxImages: 3, onProgress });
    expect(told).toEqual(['1/3', '2/3', '3/3']);
    await using dataset = await openImageDataset(at('emoji.zip'));
    await using emoji = await openImageDataset('emoji16');
    expect(await dataset.image(2)).toEqual(Uint8Array.from(await emoji.image(2)));
    const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, ...noise(1, 4));
    writeFolder(at('mnist'), { 'train-images-idx3-ubyte': idx });
    expect(await convertDataset({ source: at('mnist'), dest: at('mnist.zip') })).toMatchObject({ written: 1 });
  });
});

describe('what fails leaves everything as it was', () => {
  const good = { 'a.png': pngOf(1, 8), 'b.png': pngOf(2, 8) };

  test.each<[string, Record<string, Uint8Array | string>, object, RegExp]>([
    ['not square', { 'a.png': pngOf(1, 8, 4) }, {}, /a\.png comes out 8 x 4: images must be square/],
    ['no power of two', { 'a.png': pngOf(1, 6) }, {}, /a\.png comes out 6 x 6: the side must be a power of two/],
    [
      'other sizes',
      { ...good, 'c.png': pngOf(3, 4) },
      {},
      /c\.png comes out 4 x 4, a\.png 8 x 8\. Images must be of one size/,
    ],
    ['a PNG cut off', { ...good, 'c.png': pngOf(3, 8).slice(0, 50) }, {}, /photos: c\.png: damaged or cut off/],
    [
      'latents',
      { 'a.npy': writeNpy({ dtype: 'float32', shape: [8, 2, 2], data: new Float32Array(32) }) },
      {},
      /a\.npy holds 8 channels of numbers, not a picture/,
    ],
    ['bad labels', { ...good, 'dataset.json': labelFile({ 'a.png': -3 }) }, {}, /gives "a\.png" the label -3/],
    ['no size', good, { transform: 'center-crop' }, /center-crop needs a size/],
  ])('%s', async (_, files, options, message) => {
    writeFolder(at('photos'), files);
    await writeZip(at('old.zip'), { 'before.txt': 'before' });
    const old = readFileSync(at('old.zip'));
    for (const dest of [at('old.zip'), at('out')]) {
      const converting = convertDataset({ source: at('photos'), dest, ...options });
      await expect(converting).rejects.toThrow(message);
      await expect(converting).rejects.toThrow(/^[^\n]+$/);
    }
    expect(readFileSync(at('old.zip')).equals(old)).toBe(true);
    expect(readdirSync(scratch).sort()).toEqual(['old.zip', 'photos']);
  });

  test('a destination that is taken', async () => {
    writeFolder(at('photos'), good);
    writeFolder(at('full'), { 'x.txt': '' });
    await expect(convertDataset({ source: at('photos'), dest: at('full') })).rejects.toThrow(
      `${at('full')}: is not empty. Give a new folder, or a name that ends in .zip`,
    );
    await expect(convertDataset({ source: at('photos'), dest: at('full/x.txt') })).rejects.toThrow('x.txt: is a file.');
    expect(readdirSync(at('full'))).toEqual(['x.txt']);
  });

  test('an interruption', async () => {
    writeFolder(at('photos'), good);
    for (const dest of [at('out.zip'), at('out')]) {
      const controller = new AbortController();
      const onProgress = () => controller.abort();
      await expect(
        convertDataset({ source: at('photos'), dest, onProgress, signal: controller.signal }),
      ).rejects.toThrow();
    }
    expect(readdirSync(scratch)).toEqual(['photos']);
  });

  test('a source that is cut off', async () => {
    await writeZip(at('photos.zip'), good);
    truncateSync(at('photos.zip'), 100);
    await expect(convertDataset({ source: at('photos.zip'), dest: at('out') })).rejects.toThrow(
      'photos.zip: not a zip archive, or cut off',
    );
  });
});

describe('encode and decode', () => {
  const small = { blockChannels: [4, 8], normGroups: 2, layersPerBlock: 1 } as const;
  const vaeOf = async () => {
    const vae = new AutoencoderKL({ ...small, generator: new Generator(1) });
    await commit();
    return vae;
  };

  test('means and standard deviations of pixels from 0 to 1, with labels; decoded are the means', async () => {
    using vae = await vaeOf();
    const pictures = { 'a/0.png': pngOf(1, 8), 'b/1.png': pngOf(2, 8) };
    writeFolder(at('pictures'), pictures);
    expect(await encodeDataset({ source: at('pictures'), dest: at('latents.zip'), vae })).toMatchObject({ written: 2 });
    const files = await zipContent(at('latents.zip'));
    expect(Object.keys(files)).toEqual([
      '00000/img-mean-std-00000000.npy',
      '00000/img-mean-std-00000001.npy',
      'dataset.json',
    ]);
    const stored = readNpy(files['00000/img-mean-std-00000001.npy']!);
    const { data } = decodePng(pictures['b/1.png']);
    const pixels = Float32Array.from({ length: 192 }, (_, i) => data[(i % 64) * 3 + Math.floor(i / 64)]! / 255);
    const moments = vae.encode(tensor(pixels, { shape: [1, 3, 8, 8] }));
    expect(stored).toEqual({ dtype: 'float32', shape: [8, 4, 4], data: await moments.data() });
    await using dataset = await openImageDataset(at('latents.zip'));
    expect([dataset.channels, dataset.resolution, [...labelsOf(dataset)]]).toEqual([8, 4, [0, 1]]);

    expect(await decodeDataset({ source: at('latents.zip'), dest: at('decoded.zip'), vae })).toMatchObject({
      written: 2,
    });
    const decoded = decodePng((await zipContent(at('decoded.zip')))['00000/img00000001.png']!);
    const again = (await vae
      .decode(moments.slice(null, [0, 4]))
      .clip(0, 1)
      .mul(255)
      .data()) as Float32Array;
    const expected = Uint8Array.from({ length: 192 }, (_, i) => again[(i % 3) * 64 + Math.floor(i / 3)]!);
    expect(decoded).toEqual({ width: 8, height: 8, channels: 3, data: expected });
  });

  test('latents of a network are moved and scaled back first', async () => {
    using vae = await vaeOf();
    const data = Float32Array.from({ length: 16 }, (_, i) => Math.sin(i));
    writeFolder(at('samples'), { '0.npy': writeNpy({ dtype: 'float32', shape: [4, 2, 2], data }) });
    await decodeDataset({ source: at('samples'), dest: at('decoded'), vae });
    const [pixels] = await stabilityVaeEncoder({ vae }).decode(tensor(data, { shape: [1, 4, 2, 2] }));
    const picture = decodePng(readFileSync(at('decoded/00000/img00000000.png')));
    expect([...picture.data]).toEqual(Array.from({ length: 48 }, (_, i) => pixels![(i % 3) * 16 + Math.floor(i / 3)]));
  });

  test('what does not fit gives one line', async () => {
    using vae = await vaeOf();
    writeFolder(at('odd'), { 'a.png': pngOf(1, 7) });
    await expect(encodeDataset({ source: at('odd'), dest: at('out'), vae })).rejects.toThrow(
      /a\.png is 7 x 7 pixels, the VAE needs multiples of 2\./,
    );
    await expect(decodeDataset({ source: at('odd'), dest: at('out'), vae })).rejects.toThrow(
      /a\.png holds 3 channels of pixels, not latents: 4 or 8 of floats$/,
    );
    expect(readdirSync(scratch)).toEqual(['odd']);
  });
});

describe('info', () => {
  test('counts classes, and finds what is damaged when it looks at everything', async () => {
    const png = encodePng({ width: 4, height: 4, channels: 3, data: noise(1, 48) });
    const labels = labelFile({ 'a.png': 2, 'b.png': 0, 'c.png': 2 });
    writeFolder(at('set'), { 'a.png': png, 'b.png': png, 'c.png': png, 'dataset.json': labels });
    await using dataset = await openImageDataset(at('set'), { cache: false });
    const info = {
      images: 3,
      channels: 3,
      resolution: 4,
      values: 'pixels',
      labelDim: 3,
      classCounts: [1, 0, 2],
      classNames: null,
    };
    expect(await datasetInfo(dataset, { check: true })).toEqual(info);
    writeFileSync(at('set/b.png'), png.slice(0, 60));
    expect(await datasetInfo(dataset)).toEqual(info);
    await expect(datasetInfo(dataset, { check: true })).rejects.toThrow(/set: b\.png: damaged or cut off/);
  });

  test('vectors have no classes', async () => {
    const data = new Float32Array(32);
    const labels = labelFile({ 'a.npy': [1, 2] });
    writeFolder(at('set'), { 'a.npy': writeNpy({ dtype: 'float32', shape: [8, 2, 2], data }), 'dataset.json': labels });
    await using dataset = await openImageDataset(at('set'));
    expect(await datasetInfo(dataset)).toMatchObject({ values: 'latents', labelDim: 2, classCounts: null });
  });
});
