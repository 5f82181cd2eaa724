import {
  checkpoint,
  commit,
  currentBackend,
  full,
  Generator,
  grad,
  realize,
  State,
  setBackend,
  setDevelopmentMode,
  type Tensor,
  tensor,
  withBackend,
  zeros,
} from '@evenkeel/tensor';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { planCount } from '../src/runtime/plan-cache.ts';
import { readNodes } from '../src/runtime/realize.ts';
import { guardLeaks, list } from './leak-guarded.ts';
import { observe } from './runtime-backends.ts';
import { sample } from './values.ts';

guardLeaks();

describe('realize', () => {
  test('computes several results in one run, their common part once', async () => {
    const observed = observe();
    await withBackend(observed.backend, async () => {
      const common = full([8, 8], 2).matmul(full([8, 8], 3));
      const [a, b] = [common.add(1), common.sum()];
      await realize(a, b);
      expect(observed.runs).toHaveLength(1);
      expect((await a.data())[5]).toBe(49);
      expect(await b.item()).toBe(64 * 48);
      expect(observed.runs).toHaveLength(1);
      a.dispose();
      b.dispose();
    });
  });

  test('a chain of thousands of elementwise operations becomes several kernels', async () => {
    let x: Tensor = zeros([2]);
    for (let i = 0; i < 4000; i++) x = x.add(tensor([1, 0.5]));
    let y: Tensor = tensor([0.5]);
    for (let i = 0; i < 4000; i++) y = y.sin();
    await realize(x, y);
    expect(await list(x)).toEqual([4000, 2000]);
    // y tends to sqrt(3 / n).
    expect((await list(y))[0]).toBeCloseTo(Math.sqrt(3 / 4000), 3);
    x.dispose();
    y.dispose();
  });

  test('host values, constants and pinned results need no run, and data() is a copy', async () => {
    const observed = observe();
    await withBackend(observed.backend, async () => {
      const values = tensor([1, 2, 3]);
      const first = await values.data();
      first[0] = 99;
      expect(await list(values)).toEqual([1, 2, 3]);
      expect(observed.runs).toEqual([]);
      const sum = values.add(1);
      await sum.realize();
      expect(await list(sum)).toEqual([2, 3, 4]);
      expect(await list(sum)).toEqual([2, 3, 4]);
      expect(observed.runs).toHaveLength(1);
      sum.dispose();
      await expect(sum.data()).rejects.toThrow('a pinned result of shape [3] was disposed and is read again');
    });
  });

  test('what was committed is read without a run, each time a copy', async () => {
    const observed = observe();
    await withBackend(observed.backend, async () => {
      using x = new State(tensor([1, 2]), { path: 'x' });
      const loss = x.value.sum();
      x.assign(x.value.mul(2));
      await commit(loss);
      const first = await loss.data();
      first[0] = 99;
      expect(await loss.item()).toBe(3);
      expect(observed.runs).toHaveLength(1);
      expect(await list(x.value)).toEqual([2, 4]);
      expect(observed.runs).toHaveLength(1);
    });
  });

  test('the same result asked for twice comes as two arrays', async () => {
    const t = tensor([1, 2]).add(1);
    const [a, b] = await readNodes([t.node, t.node]);
    expect(a).toEqual(b);
    expect(a).not.toBe(b);
  });

  test('equal results of different graphs are told apart', async () => {
    const x = tensor([1, 2]);
    const [a, b] = [x.add(1), x.add(1)];
    await realize(a, b);
    a.dispose();
    expect(await list(b)).toEqual([2, 3]);
    b.dispose();
  });
});

describe('plans', () => {
  test('1,000 steps of Adam with changing rates and bias corrections use one', async () => {
    using w = new State(tensor([1, -2, 3]), { path: 'w' });
    using m = new State(zeros([3]), { path: 'm' });
    using v = new State(zeros([3]), { path: 'v' });
    const before = planCount();
    for (let step = 1; step <= 1000; step++) {
      const rate = 0.05 / Math.sqrt(Math.max(step / 300, 1));
      const loss = w.value
        .sub(tensor([1, 2, step % 2]))
        .square()
        .sum();
      const g = grad(loss, w.value);
      m.assign(m.value.mul(0.9).add(g.mul(0.1)));
      v.assign(v.value.mul(0.99).add(g.square().mul(0.01)));
      const mean = m.value.div(1 - 0.9 ** step);
      const root = v.value.div(1 - 0.99 ** step).sqrt();
      w.assign(w.value.sub(mean.div(root.add(1e-8)).mul(rate)));
      await commit(loss);
    }
    const [first, second] = await list(w.value);
    expect(planCount() - before).toBe(1);
    expect(first).toBeCloseTo(1, 3);
    expect(second).toBeCloseTo(2, 3);
  });

  test('a step keeps its plan when other states were assigned in between, in another order', async () => {
    using a = new State(tensor([1]), { path: 'a' });
    using b = new State(tensor([2]), { path: 'b' });
    const step = async () => {
      const [oldA, oldB] = [a.value, b.value];
      b.assign(oldB.add(oldA));
      a.assign(oldA.mul(0.5));
      await commit();
    };
    await step();
    const before = planCount();
    await step();
    a.write(Float32Array.of(3));
    await commit();
    b.write(Float32Array.of(4));
    await commit();
    await step();
    expect(planCount()).toBe(before);
    expect(await list(b.value)).toEqual([7]);
    expect(await list(a.value)).toEqual([1.5]);
  });

  test('steps with checkpoints share one', async () => {
    using w = new State(sample([3, 3], 1).cast('float32'), { path: 'w' });
    const layer = checkpoint((x: Tensor) => x.matmul(w.value).tanh().matmul(w.value));
    const counts: number[] = [];
    for (let i = 0; i < 3; i++) {
      const loss = layer(layer(sample([2, 3], 2).cast('float32'))).sum();
      w.assign(w.value.sub(grad(loss, w.value).mul(0.1)));
      await commit(loss);
      await loss.item();
      counts.push(planCount());
    }
    expect(counts[2]).toBe(counts[0]);
  });

  test('first values given as graphs do not make the first step differ', async () => {
    using w = new State(new Generator(1).normal([3]), { path: 'w' });
    const counts: number[] = [];
    for (let i = 0; i < 3; i++) {
      w.assign(w.value.mul(0.5 + i));
      await commit();
      counts.push(planCount());
    }
    expect(new Set(counts).size).toBe(1);
  });
});

describe('commit', () => {
  test('hands over at most two runs; the third waits', async () => {
    const observed = observe();
    const former = currentBackend();
    setBackend(observed.backend);
    try {
      using x = new State(tensor([1]), { path: 'x' });
      let open: () => void = () => undefined;
      observed.gate = new Promise<void>((resolve) => {
        open = resolve;
      });
      const losses: Tensor[] = [];
      const commits: Promise<void>[] = [];
      let handedOver = 0;
      for (let i = 0; i < 5; i++) {
        const loss = x.value.mul(1);
        x.assign(x.value.mul(2));
        losses.push(loss);
        commits.push(
          commit(loss).then(() => {
            handedOver++;
          }),
        );
      }
      await Promise.all(commits.slice(0, 2));
      for (let i = 0; i < 50; i++) await new Promise<void>((resolve) => setImmediate(resolve));
      expect(handedOver).toBe(2);
      expect(observed.runs).toHaveLength(2);
      open();
      await Promise.all(commits);
      expect(await Promise.all(losses.map((loss) => loss.item()))).toEqual([1, 2, 4, 8, 16]);
      expect(await x.value.item()).toBe(32);
      expect(observed.mostUnderWay).toBe(2);
    } finally {
      setBackend(former);
    }
  });

  test('of nothing is nothing', async () => {
    const observed = observe();
    await withBackend(observed.backend, () => commit());
    expect(observed.runs).toEqual([]);
  });
});

describe('withBackend', () => {
  test('restores the former one when the function or its promise is over', async () => {
    const former = currentBackend();
    const { backend } = observe();
    expect(withBackend(backend, () => currentBackend())).toBe(backend);
    expect(currentBackend()).toBe(former);
    expect(() =>
      withBackend(backend, () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(currentBackend()).toBe(former);
    await expect(withBackend(backend, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(currentBackend()).toBe(former);
  });
});

describe('development mode', () => {
  const warnings: string[] = [];
  beforeEach(() => {
    warnings.length = 0;
    vi.spyOn(console, 'warn').mockImplementation((message: string) => void warnings.push(message));
    setDevelopmentMode(true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    setDevelopmentMode(true);
  });

  test('warns once when results read separately share expensive work', async () => {
    const common = full([200, 200], 1).matmul(full([200, 200], 1));
    await common.sum().data();
    expect(warnings).toEqual([]);
    await common.mean().data();
    await common.max().data();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('share 16 million operations');
    expect(warnings[0]).toContain('realize(a, b)');
  });

  test('warns of more than eight plans from one place, naming it', async () => {
    for (let n = 1; n <= 8; n++) await zeros([n]).add(0.5).data();
    expect(warnings).toEqual([]);
    for (let n = 20; n <= 30; n++) await zeros([n]).add(0.5).data();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/more than 8 plans were made at .*runtime\.test\.ts/);
  });

  test('says nothing when off', async () => {
    setDevelopmentMode(false);
    for (let n = 40; n <= 60; n++) await zeros([n]).add(0.5).data();
    expect(warnings).toEqual([]);
  });
});
