import { Generator, type Tensor, withBackend } from '@evenkeel/tensor';
import { describe, expect, test } from 'vitest';
import { wasm } from '../src/index.ts';

/** Rows long enough to be split, a softmax, random numbers and a product. */
async function results(threads: number): Promise<unknown[]> {
  const backend = wasm({ threads });
  try {
    return await withBackend(backend, async () => {
      const random = new Generator(3);
      const long: Tensor = random.normal([3, 70_001]);
      const wide: Tensor = random.normal([67, 130]);
      const values = [long.square().sum(1), long.exp().mean(), wide.softmax(1), wide.matmul(wide.transpose())];
      return await Promise.all(values.map((value) => value.array()));
    });
  } finally {
    await backend.dispose();
  }
}

describe('results', () => {
  test('are the same bits with one, two and three threads', async () => {
    const [one, two, three] = [await results(1), await results(2), await results(3)];
    expect(two).toEqual(one);
    expect(three).toEqual(one);
  });
});
