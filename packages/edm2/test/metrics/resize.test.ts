import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resizeBicubic } from '../../src/index.ts';

const side = fc.integer({ min: 1, max: 12 });

describe('antialiased bicubic resizing', () => {
  test('leaves even pictures even, at any size', () => {
    fc.assert(
      fc.property(side, side, side, side, (h, w, height, width) => {
        const even = resizeBicubic({ shape: [1, 2, h, w], data: new Uint8Array(2 * h * w).fill(200) }, height, width);
        expect(even).toHaveLength(2 * height * width);
        for (const value of even) expect(Math.abs(value - 200)).toBeLessThan(1e-4);
      }),
    );
  });

  test('leaves a picture of the same size as it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), (data) => {
        expect([...resizeBicubic({ shape: [1, 1, 3, 4], data }, 3, 4)]).toEqual([...data]);
      }),
    );
  });

  test('mirrors as its picture does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 9, maxLength: 9 }), side, (row, width) => {
        const [plain, mirrored] = [row, row.slice().reverse()].map((data) =>
          resizeBicubic({ shape: [1, 1, 1, 9], data }, 1, width),
        );
        mirrored!.reverse().forEach((value, i) => {
          expect(Math.abs(value - plain![i]!)).toBeLessThan(1e-3);
        });
      }),
    );
  });

  test('refuses sizes that are none', () => {
    expect(() => resizeBicubic({ shape: [1, 1, 2, 2], data: [1, 2, 3, 4] }, 0, 2)).toThrow(/2 x 2 pixels 0 x 2/);
  });
});
