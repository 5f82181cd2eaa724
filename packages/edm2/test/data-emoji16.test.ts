import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { encodePng } from '@evenkeel/formats';
import { expect, test } from 'vitest';
import { decodeEmoji16, type Emoji16Index, loadEmoji16 } from '../src/data/emoji16.ts';
import { imageGrid } from '../src/data/image-grid.ts';

const assets = fileURLToPath(new URL('../assets/', import.meta.url));
const emoji = await loadEmoji16();
const index = JSON.parse(readFileSync(`${assets}emoji16.json`, 'utf8')) as Emoji16Index;

test('holds 2,090 pictures in ten classes', () => {
  const counts = Object.fromEntries(emoji.classNames.map((name) => [name, 0]));
  for (const label of emoji.labels) counts[emoji.classNames[label]!]!++;
  expect(counts).toEqual({
    person: 997,
    animal: 142,
    plant: 29,
    food: 124,
    vehicle: 72,
    flag: 261,
    hand: 278,
    face: 118,
    symbol: 38,
    clock: 31,
  });
  expect([emoji.length, emoji.labelDim, emoji.channels, emoji.resolution]).toEqual([2090, 10, 3, 16]);
  expect(emoji.images.length).toBe(2090 * 3 * 16 * 16);
});

test('no two pictures are equal, no two codes either, and each has a name', () => {
  const contents = Array.from({ length: emoji.length }, (_, i) => emoji.image(i).join());
  expect(new Set(contents).size).toBe(emoji.length);
  expect(new Set(emoji.codes).size).toBe(emoji.length);
  expect(emoji.codes.every((code) => /^[0-9A-F]{4,6}(-[0-9A-F]{4,6})*$/.test(code))).toBe(true);
  expect(emoji.names.every((name) => name.length > 0)).toBe(true);
});

test('pictures stand upright, in their channels, under their names', () => {
  const pixel = (name: string, y: number, x: number) => {
    const image = emoji.image(emoji.names.indexOf(name));
    return [0, 1, 2].map((c) => image[c * 256 + y * 16 + x]!);
  };
  const [topLeft] = [pixel('heart', 0, 0)];
  expect(topLeft).toEqual([255, 255, 255]);
  const [red, green, blue] = pixel('heart', 7, 8) as [number, number, number];
  expect(red).toBeGreaterThan(200);
  expect(Math.max(green, blue)).toBeLessThan(120);
  // A heart's point is below: its bottom row is white at the sides, its second quarter is not.
  expect(pixel('heart', 14, 2)).toEqual([255, 255, 255]);
  expect(pixel('heart', 5, 2)).not.toEqual([255, 255, 255]);
  // The Italian flag: green left, red right.
  expect(pixel('it', 7, 3)[1]).toBeGreaterThan(pixel('it', 7, 3)[0]!);
  expect(pixel('it', 7, 12)[0]).toBeGreaterThan(pixel('it', 7, 12)[1]!);
});

test('variants of skin tone share their group, others do not', () => {
  const groupOf = (code: string) => emoji.group(emoji.codes.indexOf(code));
  expect(groupOf('1F44B-1F3FD')).toBe(groupOf('1F44B'));
  expect(groupOf('1F575-1F3FB-200D-2642-FE0F')).toBe(groupOf('1F575-FE0F-200D-2642-FE0F'));
  expect(groupOf('1F44B')).not.toBe(groupOf('1F91A'));
  const groups = new Set(Array.from({ length: emoji.length }, (_, i) => emoji.group(i)));
  expect(groups.size).toBeGreaterThan(900);
});

test('an index outside is refused', () => {
  for (const bad of [-1, 2090, 0.5, NaN]) {
    const message = `emoji16: image ${bad} of 2090. Indices are 0 to 2089`;
    expect(() => emoji.image(bad)).toThrow(message);
    expect(() => emoji.label(bad)).toThrow(message);
  }
});

test('loads from a folder, given as path or URL, and says where it looked', async () => {
  expect((await loadEmoji16({ folder: assets })).labels).toEqual(emoji.labels);
  expect((await loadEmoji16({ folder: pathToFileURL(assets) })).labels).toEqual(emoji.labels);
  const empty = mkdtempSync(`${tmpdir()}/evenkeel-`);
  await expect(loadEmoji16({ folder: empty })).rejects.toThrow(
    /^emoji16\.(png|json) of @evenkeel\/edm2 was not found: file:.*ENOENT[^\n]*Give the folder that holds it$/,
  );
  rmSync(empty, { recursive: true });
});

test('an atlas that does not fit its index is refused', () => {
  const small = encodePng({ width: 16, height: 16, channels: 3, data: new Uint8Array(768) });
  expect(() => decodeEmoji16(small, index)).toThrow(
    'decodeEmoji16: the atlas is 16 x 16 x 3, its index needs 1024 x 528 x 3',
  );
  const atlas = readFileSync(`${assets}emoji16.png`);
  expect(() => decodeEmoji16(atlas.subarray(0, 5000), index)).toThrow('decodePng emoji16.png: damaged or cut off');
});

test('a grid of all pictures is the atlas', () => {
  const images = Array.from({ length: emoji.length }, (_, i) => emoji.image(i));
  const grid = imageGrid(images, { columns: index.columns });
  const again = decodeEmoji16(encodePng(grid), index);
  expect(Buffer.compare(again.images, emoji.images)).toBe(0); // toEqual takes seconds for 1.6 million values
});
