import type { RasterImage } from '@evenkeel/formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ResizeFilter, resizeImage, transformImage } from '../src/data/index.ts';
import { noise } from './image-files.ts';

const image = (width: number, height: number, seed = 1): RasterImage => {
  return { width, height, channels: 3, data: noise(seed, width * height * 3) };
};
const sides = fc.integer({ min: 1, max: 40 });
const filters = fc.constantFrom<ResizeFilter>('box', 'bicubic', 'lanczos');

/** The same weights in floats and without a rounding between the passes. */
function reference(x: RasterImage, width: number, height: number, filter: ResizeFilter) {
  const [support, weight] = {
    box: [0.5, (d: number) => (d > -0.5 && d <= 0.5 ? 1 : 0)] as const,
    bicubic: [
      2,
      (d: number) => {
        const a = Math.abs(d);
        if (a < 1) return 1.5 * a ** 3 - 2.5 * a ** 2 + 1;
        return a < 2 ? -0.5 * a ** 3 + 2.5 * a ** 2 - 4 * a + 2 : 0;
      },
    ] as const,
    lanczos: [
      3,
      (d: number) => {
        if (d === 0) return 1;
        const p = Math.PI * d;
        return Math.abs(d) < 3 ? (3 * Math.sin(p) * Math.sin(p / 3)) / (p * p) : 0;
      },
    ] as const,
  }[filter];
  const matrix = (from: number, to: number) =>
    Array.from({ length: to }, (_, i) => {
      const stretch = Math.max(from / to, 1);
      const center = (i + 0.5) * (from / to); // as it is rounded there: boxes have sharp edges
      const row = Array.from({ length: from }, (__, j) => {
        const within =
          j >= Math.floor(center - support * stretch + 0.5) && j < Math.floor(center + support * stretch + 0.5);
        return within ? weight((j - center + 0.5) * (1 / stretch)) : 0;
      });
      const total = row.reduce((sum, value) => sum + value, 0);
      return from === to ? row.map((__, j) => Number(i === j)) : row.map((value) => value / total);
    });
  const [across, down] = [matrix(x.width, width), matrix(x.height, height)];
  const out = new Float64Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let column = 0; column < width; column++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let v = 0; v < x.height; v++) {
          if (down[y]![v] === 0) continue;
          let line = 0;
          for (let u = 0; u < x.width; u++) line += across[column]![u]! * x.data[(v * x.width + u) * 3 + c]!;
          // Rows are clipped to bytes before columns are made.
          sum += down[y]![v]! * Math.min(Math.max(line, 0), 255);
        }
        out[(y * width + column) * 3 + c] = Math.min(Math.max(sum, 0), 255);
      }
    }
  }
  // What the rounding of rows can become in columns.
  const amplification = down.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0));
  return { values: out, amplification };
}

describe('resizing', () => {
  test('differs from the same in floats by no more than its two roundings', () => {
    fc.assert(
      fc.property(sides, sides, sides, sides, filters, fc.nat(99), (w, h, width, height, filter, seed) => {
        const input = image(w, h, seed);
        const { data } = resizeImage(input, { width, height, filter });
        const { values, amplification } = reference(input, width, height, filter);
        for (const [i, value] of data.entries()) {
          const bound = 0.5 + 0.5 * amplification[Math.floor(i / 3 / width)]! + 0.001;
          expect(Math.abs(value - values[i]!)).toBeLessThan(bound);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('leaves what has the size already, and even areas', () => {
    fc.assert(
      fc.property(sides, sides, filters, fc.nat(255), (w, h, filter, level) => {
        const input = image(w, h);
        expect(resizeImage(input, { width: w, height: h, filter })).toEqual(input);
        const even = { ...input, data: new Uint8Array(w * h * 3).fill(level) };
        expect(new Set(resizeImage(even, { width: 7, height: 9, filter }).data)).toEqual(new Set([level]));
      }),
      { numRuns: 30 },
    );
  });

  test('boxes of two are averages, halves rounded up', () => {
    const input: RasterImage = { width: 4, height: 1, channels: 1, data: new Uint8Array([0, 1, 10, 20]) };
    expect([...resizeImage(input, { width: 2, height: 1, filter: 'box' }).data]).toEqual([1, 15]);
  });

  test.each([0, -1, 1.5, NaN])('a side of %d is refused', (side) => {
    expect(() => resizeImage(image(2, 2), { width: side, height: 2, filter: 'box' })).toThrow(/is no size/);
  });
});

describe('transforms', () => {
  test('give the size asked for, whatever the image', () => {
    fc.assert(
      fc.property(sides, sides, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), (w, h, a, b) => {
        const sizeOf = (result: RasterImage | null) => result && [result.width, result.height, result.data.length];
        expect(sizeOf(transformImage(image(w, h), {}))).toEqual([w, h, w * h * 3]);
        expect(sizeOf(transformImage(image(w, h), { size: [a, b] }))).toEqual([a, b, a * b * 3]);
        expect(sizeOf(transformImage(image(w, h), { transform: 'center-crop', size: [a, b] }))).toEqual([
          a,
          b,
          a * b * 3,
        ]);
        const square = transformImage(image(w, h), { transform: 'center-crop-dhariwal', size: [a, a] });
        expect(sizeOf(square)).toEqual([a, a, a * a * 3]);
        const [wide, low] = [Math.max(a, b), Math.min(a, b)];
        const padded = transformImage(image(w, h), { transform: 'center-crop-wide', size: [wide, low] });
        if (padded !== null) expect(sizeOf(padded)).toEqual([wide, wide, wide * wide * 3]);
        else expect(w < wide || Math.round((wide * h) / w) <= low).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('need a size, and a fitting one', () => {
    expect(() => transformImage(image(4, 4), { transform: 'center-crop' })).toThrow('center-crop needs a size');
    const options = { transform: 'center-crop-dhariwal', size: [4, 2] } as const;
    expect(() => transformImage(image(4, 4), options)).toThrow('center-crop-dhariwal makes squares, not 4 x 2');
    const tall = { transform: 'center-crop-wide', size: [2, 4] } as const;
    expect(() => transformImage(image(8, 8), tall)).toThrow(
      'center-crop-wide needs a width of at least its height, not 2 x 4',
    );
  });
});
