import { cosineAttention, mpConcat, mpSilu, mpSum, normalize, pixelNorm, resample } from '@evenkeel/mp-nn';
import { Generator, grad, type HostArray, ones, type Tensor, tensor } from '@evenkeel/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** White float64 values, which leave rounding out of comparisons. */
function white(shape: readonly number[], seed: number): Tensor<'float64'> {
  return new Generator(seed).normal(shape, { dtype: 'float64' });
}

function expectClose(actual: HostArray, expected: ArrayLike<number>, tolerance = 1e-9): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) {
    expect(Math.abs(actual[i]! - expected[i]!), `element ${i}`).toBeLessThan(tolerance * (1 + Math.abs(expected[i]!)));
  }
}

describe('normalize', () => {
  test('equals its formula, value and gradient, row by row', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(1e-4, 1e-2, 1),
        fc.constantFrom(1e-6, 1e-4, 1, 1e3),
        fc.nat(),
        async (rows, n, eps, scale, seed) => {
          const x = white([rows, n], seed).mul(scale);
          const g = white([rows, n], seed + 1);
          const y = normalize(x, { eps });
          const gradient = grad(y.mul(g).sum(), x);
          const [xs, gs, ys, dxs] = [await x.data(), await g.data(), await y.data(), await gradient.data()];
          for (let row = 0; row < rows; row++) {
            const range = [row * n, (row + 1) * n] as const;
            const [xRow, gRow] = [xs.slice(...range), gs.slice(...range)];
            const r = Math.sqrt(xRow.reduce((sum, v) => sum + v * v, 0) / n);
            const s = eps + r;
            const along = gRow.reduce((sum, v, i) => sum + v * xRow[i]!, 0);
            expectClose(ys.slice(...range), xRow.map((v) => v / s)); // biome-ignore format: one line
            expectClose(
              dxs.slice(...range),
              gRow.map((v, i) => v / s - (xRow[i]! * along) / (n * r * s * s)),
              1e-7,
            );
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  test('a zero row stays zero and its gradient is g / eps', async () => {
    const x = tensor([
      [0, 0],
      [3, 4],
    ]);
    const y = normalize(x);
    expectClose(
      await y.data(),
      [0, 0, 3, 4].map((v) => v / (1e-4 + Math.sqrt(12.5))),
      1e-6,
    );
    const gradient = await grad(y.mul(tensor([[1, -2], [0, 0]])).sum(), x).data(); // biome-ignore format: one line
    expectClose(gradient, [1e4, -2e4, 0, 0], 1e-5);
  });

  test('RMS 1 becomes 1 / (1 + 1e-4), and 1 - 1e-4 stays', async () => {
    const x = ones([1, 4]).cast('float64');
    expectClose(await normalize(x).data(), new Array(4).fill(1 / 1.0001), 1e-12);
    const fixed = normalize(normalize(normalize(normalize(x))));
    expectClose(await fixed.data(), new Array(4).fill(1 - 1e-4), 1e-7);
  });

  test('reduces the axes it is told to', async () => {
    const x = white([2, 3, 4], 1);
    const direct = normalize(x, { axes: [0, 2] });
    const moved = normalize(x.permute([1, 0, 2])).permute([1, 0, 2]);
    expectClose(await direct.data(), await moved.data(), 1e-12);
    expectClose(await pixelNorm(x).data(), await normalize(x, { axes: 1 }).data(), 1e-15);
  });

  test('refuses whole numbers', () => {
    expect(() => normalize(tensor([[1, 2]], { dtype: 'int32' }))).toThrow(/normalize: needs real numbers, got int32/);
  });
});

test('mpSilu is silu over 0.596', async () => {
  const x = [-3, -1, 0, 1, 2.5];
  const y = await mpSilu(tensor(x, { dtype: 'float64' })).data();
  expectClose(y, x.map((v) => v / (1 + Math.exp(-v)) / 0.596)); // biome-ignore format: one line
});

describe('mpSum', () => {
  test('weighs the second argument by t', async () => {
    const y = await mpSum(tensor([1, 2], { dtype: 'float64' }), tensor([3, 4], { dtype: 'float64' }), 0.3).data();
    expectClose(y, [(0.7 * 1 + 0.3 * 3) / Math.sqrt(0.58), (0.7 * 2 + 0.3 * 4) / Math.sqrt(0.58)]);
  });

  test('does not broadcast by accident', () => {
    expect(() => mpSum(ones([2, 3]), ones([3]))).toThrow('mpSum: shapes differ, [2, 3] and [3]');
  });
});

test('mpConcat scales each part by its share, whatever its channels', async () => {
  const [a, b] = [white([2, 3, 2], 1), white([2, 5, 2], 2)];
  const y = await mpConcat(a, b, { t: 0.3 }).data();
  const scale = Math.sqrt(8 / (0.7 ** 2 + 0.3 ** 2));
  const [as, bs] = [await a.data(), await b.data()];
  const expected = [0, 1].flatMap((n) => [
    ...Array.from(as.slice(n * 6, n * 6 + 6), (v) => (v * scale * 0.7) / Math.sqrt(3)),
    ...Array.from(bs.slice(n * 10, n * 10 + 10), (v) => (v * scale * 0.3) / Math.sqrt(5)),
  ]);
  expectClose(y, expected);
});

describe('resample', () => {
  /** Plain loops over one plane: what the formula says. */
  function plane(x: ArrayLike<number>, height: number, width: number, filter: readonly number[], mode: 'up' | 'down') {
    const sum = filter.reduce((a, b) => a + b, 0);
    const pad = Math.floor((filter.length - 1) / 2);
    const [outHeight, outWidth] = [height, width].map((size) =>
      mode === 'up' ? size * 2 : Math.floor((size + 2 * pad - filter.length) / 2) + 1,
    ) as [number, number];
    const y = new Float64Array(outHeight * outWidth);
    const [smallHeight, smallWidth] = mode === 'up' ? [height, width] : [outHeight, outWidth];
    for (let i = 0; i < smallHeight; i++) {
      for (let j = 0; j < smallWidth; j++) {
        filter.forEach((fi, di) => {
          filter.forEach((fj, dj) => {
            const [row, column] = [i * 2 - pad + di, j * 2 - pad + dj];
            const weight = (fi * fj) / sum ** 2;
            if (mode === 'up') {
              if (row < 0 || row >= outHeight || column < 0 || column >= outWidth) return;
              y[row * outWidth + column]! += 4 * weight * x[i * width + j]!;
            } else if (row >= 0 && row < height && column >= 0 && column < width) {
              y[i * outWidth + j]! += weight * x[row * width + column]!;
            }
          });
        });
      }
    }
    return y;
  }

  test('equals plain loops, for any even filter and size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom([1, 1], [1, 3, 3, 1], [1, 2], [2, -1, 4, 3, 1, 1]),
        fc.constantFrom('up' as const, 'down' as const),
        fc.integer({ min: 2, max: 7 }),
        fc.integer({ min: 2, max: 7 }),
        fc.nat(),
        async (filter, mode, height, width, seed) => {
          const x = white([2, 2, height, width], seed);
          const values = await x.data();
          const area = height * width;
          const expected = [0, 1, 2, 3].flatMap((n) => [
            ...plane(values.slice(n * area, (n + 1) * area), height, width, filter, mode),
          ]);
          expectClose(await resample(x, { filter, mode }).data(), expected);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('keeps x itself, and refuses odd filters', () => {
    const x = ones([1, 1, 2, 2]);
    expect(resample(x)).toBe(x);
    expect(() => resample(x, { filter: [1, 2, 1], mode: 'up' })).toThrow('filter [1, 2, 1] must have an even number');
    expect(() => resample(ones([2, 2]), { mode: 'up' })).toThrow('resample: needs [N, C, H, W], got [2, 2]');
    expect(() => resample(x, { mode: 'left' as 'up' })).toThrow("mode 'left' is none of keep, down and up");
  });
});

describe('cosineAttention', () => {
  test('equals plain loops on interleaved queries, keys and values', async () => {
    const [batch, heads, perHead, height, width] = [2, 2, 3, 2, 3];
    const tokens = height * width;
    const qkv = white([batch, heads * perHead * 3, height, width], 4);
    const values = await qkv.data();
    const expected = new Float64Array(batch * heads * perHead * tokens);
    for (let n = 0; n < batch; n++) {
      for (let head = 0; head < heads; head++) {
        const vector = (j: number, token: number): number[] => {
          const raw = Array.from({ length: perHead }, (_, c) => {
            const channel = head * 3 * perHead + c * 3 + j;
            return values[(n * heads * perHead * 3 + channel) * tokens + token]!;
          });
          const rms = Math.sqrt(raw.reduce((sum, v) => sum + v * v, 0) / perHead);
          return raw.map((v) => v / (1e-4 + rms));
        };
        for (let q = 0; q < tokens; q++) {
          const query = vector(0, q);
          const scores = Array.from({ length: tokens }, (_, k) => {
            const key = vector(1, k);
            return Math.exp(query.reduce((sum, v, c) => sum + v * key[c]!, 0) / Math.sqrt(perHead));
          });
          const total = scores.reduce((sum, v) => sum + v, 0);
          for (let k = 0; k < tokens; k++) {
            vector(2, k).forEach((v, c) => {
              expected[((n * heads + head) * perHead + c) * tokens + q]! += (scores[k]! / total) * v;
            });
          }
        }
      }
    }
    const y = cosineAttention(qkv, { heads });
    expect(y.shape).toEqual([batch, heads * perHead, height, width]);
    expectClose(await y.data(), expected);
  });

  test('names the channels it needs', () => {
    expect(() => cosineAttention(ones([1, 8, 2, 2]), { heads: 2 })).toThrow(
      /cosineAttention: needs \[N, 3 C, ...spatial\] with C a multiple of 2 heads, got \[1, 8, 2, 2\]/,
    );
  });
});
