import { expect, test } from 'vitest';
import { imageGrid } from '../src/data/image-grid.ts';

const grey = (...values: number[]) => Uint8Array.from(values);

test('puts pictures row by row, channels innermost', () => {
  const red = grey(9, 9, 9, 9, 0, 0, 0, 0, 1, 2, 3, 4); // [3, 2, 2]
  expect(imageGrid([red])).toEqual({
    width: 2,
    height: 2,
    channels: 3,
    data: grey(9, 0, 1, 9, 0, 2, 9, 0, 3, 9, 0, 4),
  });
});

test('repeats pixels, leaves gaps and fills empty places', () => {
  const grid = imageGrid([grey(1), grey(2), grey(3)], { channels: 1, columns: 2, scale: 2, gap: 1, background: 7 });
  expect([grid.width, grid.height]).toEqual([5, 5]);
  const rows = Array.from({ length: 5 }, (_, y) => [...grid.data.subarray(5 * y, 5 * y + 5)]);
  expect(rows).toEqual([
    [1, 1, 7, 2, 2],
    [1, 1, 7, 2, 2],
    [7, 7, 7, 7, 7],
    [3, 3, 7, 7, 7],
    [3, 3, 7, 7, 7],
  ]);
});

test('is about square by default', () => {
  const grid = imageGrid(Array<Uint8Array>(10).fill(grey(1)), { channels: 1 });
  expect([grid.width, grid.height]).toEqual([4, 3]);
});

test('refuses what makes no grid', () => {
  expect(() => imageGrid([])).toThrow('imageGrid: there is no picture');
  expect(() => imageGrid([grey(1, 2)], { channels: 1 })).toThrow('imageGrid: 2 values are no square of 1 channels');
  expect(() => imageGrid([grey(1), grey(1, 2, 3, 4)], { channels: 1 })).toThrow(
    'imageGrid: picture 1 has 4 values, the first has 1',
  );
  expect(() => imageGrid([grey(1)], { channels: 1, columns: 0 })).toThrow(
    'imageGrid: columns is 0, must be a whole number of at least 1',
  );
  expect(() => imageGrid([grey(1)], { channels: 1, scale: 0.5 })).toThrow(
    'imageGrid: scale is 0.5, must be a whole number of at least 1',
  );
});
