import { conv, Generator, grad, type Tensor, tensor, withBackend } from '@evenkeel/tensor';
import { describe, expect, test } from 'vitest';
import { type Tile, type Tuning, wasm } from '../src/index.ts';
import { checkTuning, choices, measureTuning } from '../src/tuning.ts';

const sets = ['plain', 'relaxed', 'wide'] as const;

/** Every choice of tile and every choice of chunks. */
function tunings(instructions: (typeof sets)[number]): Tuning[] {
  const { tile, chunkWork } = choices(instructions);
  return Array.from({ length: Math.max(tile.length, chunkWork.length) }, (_, i) => ({
    tile: tile[i % tile.length] as Tile,
    chunkWork: chunkWork[i % chunkWork.length] as number,
  }));
}

/** Products, convolutions in three roles, normalization, a long sum, a scatter: odd sizes and even ones. */
async function results(tuning: Tuning, instructions: (typeof sets)[number]): Promise<unknown> {
  const backend = wasm({ threads: 2, instructions, tuning, experimental: true });
  try {
    return await withBackend(backend, async () => {
      const random = new Generator(5);
      const values: Tensor[] = [];
      for (const [m, k, n] of [
        [64, 64, 64],
        [37, 301, 19],
        [5, 2000, 7],
        [200, 9, 130],
      ] as const) {
        values.push(
          random
            .normal([m, k])
            .matmul(random.normal([k, n]))
            .square(),
        );
      }
      for (const size of [3, 1]) {
        const image = random.normal([2, 24, 9, 12]);
        const weight = random.normal([20, 24, size, size]);
        const output = conv(image, weight, { padding: (size - 1) / 2 });
        values.push(output, ...(grad(output.square().sum(), [image, weight]) as Tensor[]));
      }
      const wide = random.normal([300, 300]);
      values.push(wide.softmax(1), wide.square().sum(), wide.mul(2).exp().add(wide));
      const positions = tensor(Int32Array.from({ length: 300 }, (_, i) => (7 * i) % 50));
      values.push(random.normal([50, 300]).scatterAdd(positions, wide));
      const read: unknown[] = [];
      for (const value of values) read.push(await value.data());
      return read;
    });
  } finally {
    await backend.dispose();
  }
}

describe.each(sets)('tuning, %s', (instructions) => {
  test('changes no bit', async () => {
    const [first, ...others] = tunings(instructions) as [Tuning, ...Tuning[]];
    const expected = await results(first, instructions);
    for (const tuning of others) expect(await results(tuning, instructions)).toEqual(expected);
  });

  test('is one of the choices', async () => {
    // Asks for relaxed SIMD where it is behind a flag.
    await wasm({ experimental: true }).dispose();
    const tuning = await measureTuning(instructions);
    expect(checkTuning(tuning, instructions)).toBe(tuning);
  });
});

test.each([
  { tile: { rows: 5, columns: 8, unroll: 1 }, chunkWork: 16384 },
  { tile: { rows: 4, columns: 8, unroll: 1 }, chunkWork: 1 },
  { chunkWork: 16384 },
])('a tuning that is no choice is refused: %o', (tuning) => {
  expect(() => wasm({ instructions: 'plain', tuning: tuning as Tuning })).toThrow(
    /^wasm: tuning is .*For 'plain' its tile must be one of \[.*\], its chunkWork one of 16384, 8192, 32768$/,
  );
});
