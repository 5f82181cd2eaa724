import { describe, expect, test } from 'vitest';
import { grad } from '../src/autograd/grad.ts';
import { memory } from '../src/runtime/memory.ts';
import { ones, tensor, zeros } from '../src/tensor/creation.ts';
import { commit } from '../src/tensor/realize.ts';
import { State } from '../src/tensor/state.ts';
import { leakGuard } from '../src/testing/index.ts';

describe('leakGuard', () => {
  test('names what was left', async () => {
    const check = leakGuard();
    const kept = new State(zeros([5, 2]), { path: 'forgotten.weight' });
    await kept.value.add(1).data();
    await expect(check()).rejects.toThrow('leakGuard: 40 bytes more than before, held by forgotten.weight (40 bytes)');
    kept.dispose();
    await check();
  });

  test('sees pinned results', async () => {
    const check = leakGuard();
    const pinned = await ones([3]).exp().realize();
    await expect(check()).rejects.toThrow('leakGuard: 12 bytes more');
    pinned.dispose();
    await check();
  });

  test('sees cells that wait on the host', async () => {
    const check = leakGuard();
    const state = new State(tensor([1, 2]));
    state.write(Float32Array.of(3, 4));
    await commit();
    await expect(check()).rejects.toThrow('leakGuard: 8 bytes more');
    state.dispose();
    await check();
  });

  test('passes what only computed and read', async () => {
    const check = leakGuard();
    await ones([100]).cumsum(0).data();
    await check();
  });
});

describe('memory', () => {
  test('is constant from the second training step, and the last step leaves only the states', async () => {
    const check = leakGuard();
    {
      using w = new State(ones([16, 8]), { path: 'w' });
      using momentum = new State(zeros([16, 8]), { path: 'momentum' });
      const x = tensor(
        Float32Array.from({ length: 32 * 16 }, (_, i) => Math.sin(i)),
        { shape: [32, 16] },
      );
      const totals: number[] = [];
      for (let step = 0; step < 10; step++) {
        const loss = x.matmul(w.value).tanh().square().mean();
        momentum.assign(momentum.value.mul(0.9).add(grad(loss, w.value)));
        w.assign(w.value.sub(momentum.value.mul(0.1 / (step + 1))));
        await commit(loss);
        await loss.item();
        totals.push(memory().total);
      }
      expect(new Set(totals.slice(1)).size).toBe(1);
      expect(memory().cells).toBe(2 * 16 * 8 * 4);
    }
    await check();
  });

  test('is constant over a loop whose state is a cell', async () => {
    using x = new State(ones([64]), { path: 'sample' });
    const totals: number[] = [];
    for (let step = 0; step < 50; step++) {
      x.assign(x.value.mul(1 - 1 / (step + 2)).add(x.value.sin().mul(0.01)));
      await commit();
      totals.push(memory().total);
    }
    await x.value.data();
    expect(new Set(totals.slice(1)).size).toBe(1);
  });
});
