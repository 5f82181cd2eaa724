import { describe, expect, test } from 'vitest';
import { checkpoint, explain, grad, type Tensor } from '../src/index.ts';
import { sample } from './values.ts';

/** Several layers whose values the backward pass needs again. */
function block(x: Tensor, w: Tensor): Tensor {
  let y = x;
  for (let i = 0; i < 6; i++) y = y.matmul(w).tanh();
  return y;
}

async function run(step: (x: Tensor, w: Tensor) => Tensor): Promise<{ gradient: Float64Array; peakBytes: number }> {
  const [x, w] = [sample([256, 16], 1).mul(0.5), sample([16, 16], 2).mul(0.3)];
  let y: Tensor = x;
  for (let i = 0; i < 6; i++) y = step(y, w);
  const gradient = grad(y.square().sum(), w);
  const { peakBytes } = explain(gradient);
  return { gradient: (await gradient.data()) as Float64Array, peakBytes };
}

describe('checkpoint', () => {
  test('holds the values between blocks only, and gives the same gradients', async () => {
    const plain = await run(block);
    const saving = await run(checkpoint(block));
    plain.gradient.forEach((value, i) => {
      expect(saving.gradient[i]).toBeCloseTo(value, 10);
    });
    // 36 layers: all of them against one block and the blocks' ends.
    expect(saving.peakBytes).toBeLessThan(0.5 * plain.peakBytes);
  });
});
