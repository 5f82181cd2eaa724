import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  commit,
  currentBackend,
  Generator,
  grad,
  memory,
  realize,
  State,
  setBackend,
  type Tensor,
  tensor,
  zeros,
} from '@evenkeel/tensor';
import { describe, expect, test } from 'vitest';
import { createJsBackend } from '../src/backend-js/index.ts';
import { guardLeaks } from './leak-guarded.ts';
import { observe } from './runtime-backends.ts';

guardLeaks();

describe('memory()', () => {
  test('lists cells and pinned results by owner', async () => {
    const before = memory();
    using w = new State(zeros([100]), { path: 'net.weight' });
    await commit();
    const pinned = tensor([1, 2, 3]).add(1);
    w.assign(w.value.add(1));
    await realize(pinned);
    const during = memory();
    expect(during.cells - before.cells).toBe(400);
    expect(during.pinned - before.pinned).toBe(12);
    expect(during.byOwner).toContainEqual({ path: 'net.weight', bytes: 400 });
    expect(during.byOwner).toContainEqual({ path: 'pinned [3]', bytes: 12 });
    pinned.dispose();
    w.dispose();
    expect(memory().cells).toBe(before.cells);
    expect(memory().pinned).toBe(before.pinned);
  });

  test('is constant over a training loop from its second step, with constant allocations', async () => {
    const observed = observe();
    const former = currentBackend();
    setBackend(observed.backend);
    try {
      using w = new State(new Generator(1).normal([8, 8]), { path: 'w' });
      using m = new State(zeros([8, 8]), { path: 'm' });
      const random = new Generator(2);
      const figures: number[] = [];
      const allocations: number[] = [];
      for (let step = 0; step < 30; step++) {
        const x = tensor(
          Float32Array.from({ length: 32 }, (_, i) => i % 5),
          { shape: [4, 8] },
        );
        const loss = x
          .matmul(w.value)
          .sub(random.normal([4, 8]))
          .square()
          .mean();
        m.assign(m.value.mul(0.9).add(grad(loss, w.value)));
        w.assign(w.value.sub(m.value.mul(0.01 / (step + 1))));
        await commit(loss);
        expect(Number.isFinite(await loss.item())).toBe(true);
        figures.push(memory().total);
        allocations.push(observed.allocations);
      }
      expect(new Set(figures.slice(1)).size).toBe(1);
      const perStep = allocations.slice(1).map((count, i) => count - (allocations[i] as number));
      expect(new Set(perStep.slice(1)).size).toBe(1);
      expect(memory().running).toBe(0);
    } finally {
      setBackend(former);
    }
  });

  test('graphs of old steps are let go, also with call sites recorded', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    using w = new State(zeros([4]), { path: 'w' });
    using average = new State(zeros([4]), { path: 'average' });
    const graphs: WeakRef<object>[] = [];
    const step = async (): Promise<void> => {
      const loss = w.value
        .sub(tensor([1, 2, 3, 4]))
        .square()
        .sum();
      // A closure over the graph is on the stack of the assignments and of reads of what was assigned.
      [w].forEach((state) => {
        state.assign(state.value.sub(grad(loss, w.value).mul(0.1)));
        average.assign(average.value.mul(0.9).add(state.value));
      });
      graphs.push(new WeakRef(loss.node));
      await commit(loss);
      expect(Number.isFinite(await loss.item())).toBe(true);
    };
    for (let i = 0; i < 12; i++) await step();
    // References made in a turn are kept until it ends.
    await new Promise<void>((resolve) => setImmediate(resolve));
    collect();
    const held = graphs.filter((graph) => graph.deref() !== undefined).length;
    expect(held).toBeLessThanOrEqual(4);
  });

  test('reads leave nothing behind', async () => {
    using w = new State(zeros([10]), { path: 'w' });
    await w.value.add(1).data();
    const before = memory();
    for (let i = 0; i < 5; i++) await w.value.add(1).data();
    expect(memory()).toEqual(before);
  });
});

describe('what exceeds the memory of a backend', () => {
  test('fails before anything is allocated, itemized', async () => {
    const observed = observe(createJsBackend({ memoryBytes: 10_000 }));
    const former = currentBackend();
    setBackend(observed.backend);
    try {
      using w = new State(zeros([1000]), { path: 'net.weight' });
      await w.value.sum().data();
      const { allocations } = observed;
      const large: Tensor = w.value.reshape(1000, 1).mul(tensor([[1, 2]]));
      await expect(large.data()).rejects.toThrow(
        /^memory: this run needs 12 KiB, backend 'observed js' has 9\.8 KiB: cells 3\.9 KiB, inputs to upload 8 bytes, outputs 7\.8 KiB \(largest owners: net\.weight 3\.9 KiB\)/,
      );
      await expect(
        w.value
          .reshape(1000, 1)
          .add(tensor([[1, 2, 3]]))
          .data(),
      ).rejects.toThrow("memory: one value of this run takes 12 KiB, backend 'observed js' allows 9.8 KiB a buffer");
      expect(observed.allocations).toBe(allocations);
      // The next run is none the worse for it.
      expect(await w.value.sum().item()).toBe(0);
    } finally {
      setBackend(former);
    }
  });
});
