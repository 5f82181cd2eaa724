import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contourLoops } from '../../src/plot/contour.ts';
import { type Drawing, drawingToSvg, type Shape } from '../../src/plot/drawing.ts';
import { drawingToRaster } from '../../src/plot/raster.ts';

const drawing = (...shapes: Shape[]): Drawing => ({ width: 20, height: 20, shapes });

describe('contours', () => {
  test('close around what is above: even-odd counting tells every corner’s side', () => {
    const grid = fc
      .record({ columns: fc.integer({ min: 1, max: 6 }), rows: fc.integer({ min: 1, max: 6 }) })
      .chain(({ columns, rows }) =>
        fc
          .array(fc.integer({ min: -3, max: 3 }), { minLength: columns * rows, maxLength: columns * rows })
          .map((values) => ({ columns, rows, values })),
      );
    fc.assert(
      fc.property(grid, ({ columns, rows, values }) => {
        const loops = contourLoops({ columns, rows, values }, 0.5);
        const isInside = (px: number, py: number) => {
          let odd = false;
          for (const loop of loops) {
            loop.forEach(([ax, ay], i) => {
              const [bx, by] = loop[(i + 1) % loop.length]!;
              if (ay > py !== by > py && px < ax + ((py - ay) / (by - ay)) * (bx - ax)) odd = !odd;
            });
          }
          return odd;
        };
        for (let y = 1; y < rows - 1; y++) {
          for (let x = 1; x < columns - 1; x++) {
            // A touch off the corner, where no line runs: lines are at least an eighth away.
            expect(isInside(x + 0.013, y + 0.017)).toBe(values[y * columns + x]! > 0.5);
          }
        }
      }),
    );
  });

  test('refuse a grid of another size', () => {
    expect(() => contourLoops({ columns: 2, rows: 2, values: [1] }, 0)).toThrow(/needs 4 values, got 1/);
  });
});

describe('rasters', () => {
  const inkOf = (shape: Shape, scale = 2) => {
    const { data } = drawingToRaster(drawing(shape), { scale });
    return data.reduce((sum, value) => sum + (255 - value) / 255 / 3, 0) / scale ** 2;
  };

  test('cover as much as the shapes do', () => {
    const color = '#000000';
    const square: Shape = {
      type: 'area',
      loops: [
        [
          [2.3, 3.1],
          [12.8, 3.1],
          [12.8, 13.7],
          [2.3, 13.7],
        ],
      ],
      color,
    };
    expect(Math.abs(inkOf(square) - 10.5 * 10.6)).toBeLessThan(10.5 / 8 + 0.5); // rows are told apart to an eighth
    const hole: Shape = {
      ...square,
      loops: [
        ...square.loops,
        [
          [5, 5],
          [7, 5],
          [7, 7],
          [5, 7],
        ],
      ],
    };
    expect(inkOf(square) - inkOf(hole)).toBeCloseTo(4, 1);
    expect(Math.abs(inkOf({ type: 'dots', points: [[10, 10]], radius: 4, color }) - Math.PI * 16)).toBeLessThan(1);
    const line: Shape = {
      type: 'line',
      points: [
        [5, 5],
        [15, 5],
      ],
      width: 2,
      color,
    };
    expect(Math.abs(inkOf(line) - (20 + Math.PI))).toBeLessThan(1);
    expect(inkOf({ ...line, opacity: 0.5 })).toBeCloseTo(inkOf(line) / 2, 0);
  });

  test('show colours, and cut off what is outside', () => {
    const dot: Shape = {
      type: 'dots',
      points: [
        [0, 0],
        [500, 500],
      ],
      radius: 5,
      color: '#1f6feb',
    };
    const { data, width, height, channels } = drawingToRaster(drawing(dot), { scale: 1 });
    expect([width, height, channels]).toEqual([20, 20, 3]);
    expect([...data.subarray(0, 3)]).toEqual([0x1f, 0x6f, 0xeb]);
    expect([...data.subarray(-3)]).toEqual([255, 255, 255]);
  });

  test('have every letter, digit and mark of titles, in its place', () => {
    const text = (anchor: 'start' | 'middle' | 'end', at: readonly [number, number], words: string): Shape => {
      return { type: 'text', at, text: words, size: 10, anchor, color: '#000000' };
    };
    const [start, middle, end] = [
      inkOf(text('start', [0, 12], 'mm')),
      inkOf(text('middle', [10, 12], 'mm')),
      inkOf(text('end', [20, 12], 'mm')),
    ];
    expect(Math.abs(start - middle)).toBeLessThan(0.15 * middle);
    expect(Math.abs(end - middle)).toBeLessThan(0.15 * middle);
    const shapes = new Set<string>();
    const letters = 'abcdefghijklmnopqrstuvwxyz0123456789.,:()=+/-';
    for (const letter of letters) {
      shapes.add(drawingToRaster(drawing(text('middle', [10, 12], letter))).data.join());
    }
    expect(shapes.size).toBe(letters.length);
    expect(inkOf(text('middle', [10, 12], ' '))).toBe(0);
  });
});

test('SVG has the same shapes, with text as it is', () => {
  const svg = drawingToSvg(
    drawing(
      { type: 'dots', points: [[1, 2]], radius: 1, color: '#000000', opacity: 0.5 },
      {
        type: 'area',
        loops: [
          [
            [0, 0],
            [1, 0],
            [1, 1],
          ],
        ],
        color: '#ff0000',
      },
      { type: 'text', at: [3, 4], text: 'a < b', size: 12, color: '#000000' },
    ),
  );
  expect(svg).toContain('d="M1,2h0"');
  expect(svg).toContain('d="M0,0L1,0L1,1Z"');
  expect(svg).toContain('>a &lt; b</text>');
});
