import { describe, expect, test } from 'vitest';
import { checkpoint, createJsBackend, grad, memory, type Tensor, withBackend } from '../src/index.ts';
import { sample } from './values.ts';

/** Several layers whose values the backward pass needs again. */
function block(x: Tensor, w: Tensor): Tensor {
  let y = x;
  for (let i = 0; i < 6; i++) y = y.matmul(w).tanh();
  return y;
}

async function run(step: (x: Tensor, w: Tensor) => Tensor): Promise<{ gradient: Float64Array; scratch: number }> {
  const backend = createJsBackend();
  return withBackend(backend, async () => {
    const [x, w] = [sample([256, 16], 1).mul(0.5), sample([16, 16], 2).mul(0.3)];
    let y: Tensor = x;
    for (let i = 0; i < 6; i++) y = step(y, w);
    const gradient = (await grad(y.square().sum(), w).data()) as Float64Array;
    const { scratch } = memory();
    await backend.dispose();
    return { gradient, scratch };
  });
}

describe('checkpoint', () => {
  test('holds the values between blocks only, and gives the same gradients', async () => {
    const plain = await run(block);
    const saving = await run(checkpoint(block));
    plain.gradient.forEach((value, i) => {
      expect(saving.gradient[i]).toBeCloseTo(value, 10);
    });
    // 36 layers: all of them against one block and the blocks' ends.
    expect(saving.scratch).toBeLessThan(0.5 * plain.scratch);
  });
});
