import { commit, full, State, tensor, withBackend, zeros } from '@evenkeel/tensor';
import { describe, expect, test } from 'vitest';
import { createJsBackend } from '../src/backend-js/index.ts';
import { explain, profile } from '../src/debug/index.ts';
import { observe } from './runtime-backends.ts';

describe('explain', () => {
  test('lists the kernels that a read runs, without running them', async () => {
    const observed = observe();
    await withBackend(observed.backend, async () => {
      const result = full([16, 32], 1)
        .matmul(tensor(new Float32Array(32 * 8), { shape: [32, 8] }))
        .add(1)
        .relu()
        .sum(0);
      const explanation = explain(result);
      expect(observed.runs).toEqual([]);
      await result.data();
      expect(observed.runs).toEqual([explanation.steps.length]);
    });
  });

  test('counts the operations of a contraction, and says what was fused', () => {
    const [a, b] = [
      tensor(new Float32Array(16 * 32), { shape: [16, 32] }),
      tensor(new Float32Array(32 * 8), { shape: [32, 8] }),
    ];
    const explanation = explain(a.matmul(b).exp());
    expect(explanation.steps).toHaveLength(1);
    const [step] = explanation.steps;
    expect(step?.kind).toBe('contraction');
    expect(step?.description).toMatch(/^matmul b1 m\d+ n\d+ k32.* then exp/);
    expect(explanation.flops).toBeGreaterThanOrEqual(2 * 16 * 32 * 8);
    expect(explanation.flops).toBeLessThan(3 * 16 * 32 * 8);
    expect(step?.bytes).toBe(4 * (16 * 32 + 32 * 8 + 16 * 8));
    expect(explanation.peakBytes).toBe(4 * (16 * 32 + 32 * 8 + 16 * 8));
    const text = String(explanation);
    expect(text).toMatch(/^1 kernels on 'js'/);
    expect(text).toContain('matmul');
    expect(text).toContain('input [16, 32]');
  });

  test('tells the memory that a run reserves from what must live at once', async () => {
    const x = tensor(new Float32Array(1000).fill(1));
    const [a, b] = [x.sum(), x.square().sum()];
    const spread = (t: typeof a) => t.sqrt().mul(x);
    const result = spread(a).flip(0).cumsum(0).add(spread(b).flip(0).cumsum(0)).cumsum(0);
    const before = explain(result);
    expect(before.scratch).toEqual([{ what: 'temporaries', bytes: before.slots.reduce((a, b) => a + b, 0) }]);
    expect(before.liveBytes).toBeGreaterThanOrEqual(2 * 4000);
    expect(before.liveBytes).toBeLessThanOrEqual(before.peakBytes);
    await result.data();
    const { liveBytes, peakBytes } = explain(result);
    expect({ liveBytes, peakBytes }).toEqual({ liveBytes: before.liveBytes, peakBytes: before.peakBytes });
  });

  test('names cells, their updates and what happens in place', async () => {
    using w = new State(zeros([4]), { path: 'net.bias' });
    w.assign(w.value.add(1));
    const explanation = explain();
    expect(explanation.updates).toEqual(['net.bias']);
    expect(explanation.steps[0]?.reads).toEqual(['net.bias']);
    expect(String(explanation)).toContain('output 0 in place');
    expect(Array.from(await w.value.data())).toEqual([1, 1, 1, 1]);
  });

  test('says which kernels the backend refuses, and they still give the right values', async () => {
    const inner = createJsBackend();
    const choosy = {
      name: 'choosy',
      capabilities: inner.capabilities,
      supports: (kernel: { kind: string }): true | string => kernel.kind !== 'contraction' || 'no contractions here',
      allocate: inner.allocate.bind(inner),
      compile: inner.compile.bind(inner),
      run: inner.run.bind(inner),
      dispose: inner.dispose.bind(inner),
    };
    await withBackend(choosy, async () => {
      const a = tensor(
        Float32Array.from({ length: 512 }, (_, i) => i % 7),
        { shape: [16, 32] },
      );
      const b = tensor(
        Float32Array.from({ length: 256 }, (_, i) => i % 3),
        { shape: [32, 8] },
      );
      const product = a.matmul(b).mul(0.5);
      const explanation = explain(product);
      expect(explanation.steps.map(({ kind, refused }) => [kind, refused])).toContainEqual([
        'host',
        'no contractions here',
      ]);
      expect(String(explanation)).toMatch(/ {2}host: matmul b1 .* {2}\(refused by the backend: no contractions here\)/);
      const got = await product.data();
      const want = await withBackend(inner, () => a.matmul(b).mul(0.5).data());
      expect(Array.from(got)).toEqual(Array.from(want));
    });
  });
});

describe('profile', () => {
  test('gives the function’s result and a time for each kernel', async () => {
    using w = new State(zeros([64]), { path: 'w' });
    const measured = await profile(async () => {
      for (let i = 0; i < 3; i++) {
        w.assign(w.value.add(1));
        await commit();
      }
      return (await w.value.data())[0];
    });
    expect(measured.result).toBe(3);
    expect(measured.runs).toBe(3);
    expect(measured.kernels.map(({ launches }) => launches)).toEqual([3]);
    for (const { milliseconds, gflops, gbps } of measured.kernels) {
      for (const figure of [milliseconds, gflops, gbps]) expect(Number.isFinite(figure) && figure >= 0).toBe(true);
    }
    expect(String(measured)).toMatch(/ms in kernels of 3 runs\n.*GFLOP\/s.*GB\/s {2}row \[64\]: add/);
  });

  test('measures whole runs alone where told to, and leaves them as they are', async () => {
    using w = new State(zeros([64]), { path: 'w' });
    const { runs, kernels, busyMilliseconds, wallMilliseconds } = await profile(
      async () => {
        for (let i = 0; i < 3; i++) {
          w.assign(w.value.add(1));
          await commit();
        }
      },
      { kernels: false },
    );
    expect(runs).toBe(3);
    expect(kernels).toEqual([]);
    expect(busyMilliseconds).toBeGreaterThanOrEqual(0);
    expect(Number.isFinite(wallMilliseconds)).toBe(true);
  });

  test('tells of no busy time where the backend does not', async () => {
    const inner = createJsBackend();
    const silent = {
      name: 'silent',
      capabilities: inner.capabilities,
      supports: () => true as const,
      allocate: inner.allocate.bind(inner),
      compile: inner.compile.bind(inner),
      run: (...[executable, call]: Parameters<typeof inner.run>) => {
        const { submitted, done, outputs } = inner.run(executable, call);
        return { submitted, done, outputs };
      },
      dispose: () => inner.dispose(),
    };
    await withBackend(silent, async () => {
      const { busyMilliseconds, runs } = await profile(() => tensor([1]).exp().data(), { kernels: false });
      expect([busyMilliseconds, runs]).toEqual([undefined, 1]);
    });
  });

  test('measures nothing afterwards', async () => {
    const observed = observe();
    await withBackend(observed.backend, async () => {
      const { runs } = await profile(() => 1);
      expect(runs).toBe(0);
      await tensor([1]).add(1).data();
    });
  });
});
