import { createJsBackend, type Tensor, tensor, withBackend } from '@evenkeel/tensor';
import { expect, test } from 'vitest';
import { wasm } from '../src/index.ts';

const shape = [2, 12, 29, 37] as const;
const pixels = Float32Array.from({ length: 2 * 12 * 29 * 37 }, (_, i) => ((i * 7919) % 1000) / 250 - 2);

/** Pixels that fill some blocks and a part, of channels that are pages apart. */
async function normalized(backend: Parameters<typeof withBackend>[0]): Promise<number[][]> {
  return withBackend(backend, async () => {
    const x: Tensor = tensor(pixels, { shape });
    const rootMeanSquare = x.square().mean(1, { keepAxes: true }).sqrt();
    const values: Tensor[] = [x.div(rootMeanSquare.add(1e-4)), rootMeanSquare, x.sub(x.max(1, { keepAxes: true }))];
    return Promise.all(values.map(async (value) => Array.from((await value.data()) as Float32Array)));
  });
}

test('pixels in blocks are normalized as by the JavaScript backend, with the same bits by any number of threads', async () => {
  const wanted = await normalized(createJsBackend());
  const [one, three] = [wasm({ threads: 1 }), wasm({ threads: 3 })];
  try {
    const got = await normalized(one);
    expect(await normalized(three)).toEqual(got);
    got.forEach((values, i) => {
      const worst = Math.max(...values.map((value, at) => Math.abs(value - wanted[i]![at]!)));
      // Of 12 squares, their sum, mean, root, and a quotient below the root of 12: 16 roundings of 2^-24 of 3.5.
      expect(worst).toBeLessThan(16 * 2 ** -24 * 3.5);
    });
  } finally {
    await Promise.all([one.dispose(), three.dispose()]);
  }
});
