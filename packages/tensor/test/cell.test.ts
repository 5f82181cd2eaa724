import type { Tensor } from '@evenkeel/tensor';
import {
  commit,
  currentBackend,
  Generator,
  realize,
  StaleReadError,
  State,
  setBackend,
  setDevelopmentMode,
  tensor,
  withBackend,
  zeros,
} from '@evenkeel/tensor';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createJsBackend } from '../src/backend-js/index.ts';
import { guardLeaks, list } from './leak-guarded.ts';
import { observe } from './runtime-backends.ts';

guardLeaks();

describe('assignments', () => {
  test('are current at once, and written by the next read of anything', async () => {
    using x = new State(tensor([1, 2]), { path: 'x' });
    using y = new State(tensor([10, 20]), { path: 'y' });
    x.assign(x.value.add(1));
    const sum = x.value.add(y.value);
    y.assign(y.value.mul(2));
    expect(await list(sum)).toEqual([12, 23]);
    expect(await list(x.value)).toEqual([2, 3]);
    expect(await list(y.value)).toEqual([20, 40]);
  });

  test('several before a commit store the last; the others are still read by graphs that hold them', async () => {
    using x = new State(tensor([1]), { path: 'x' });
    const before = x.value;
    x.assign(x.value.add(1));
    const between = x.value.mul(10);
    x.assign(x.value.mul(5));
    const observed = observe(currentBackend());
    await withBackend(observed.backend, async () => {
      await realize(between);
      expect(observed.runs).toHaveLength(1);
      expect(await list(between)).toEqual([20]);
      expect(await list(x.value)).toEqual([10]);
    });
    await expect(before.add(1).data()).rejects.toThrow(StaleReadError);
    between.dispose();
  });

  test('exchange two states in one run', async () => {
    using a = new State(tensor([1, 2]), { path: 'a' });
    using b = new State(tensor([3, 4]), { path: 'b' });
    const [oldA, oldB] = [a.value, b.value];
    a.assign(oldB);
    b.assign(oldA);
    await commit();
    expect(await list(a.value)).toEqual([3, 4]);
    expect(await list(b.value)).toEqual([1, 2]);
    // Each owns a buffer of its own: moving one leaves the other.
    a.assign(a.value.add(100));
    expect(await list(b.value)).toEqual([1, 2]);
    expect(await list(a.value)).toEqual([103, 104]);
  });

  test('of one state to another copy', async () => {
    using a = new State(tensor([1, 2]), { path: 'a' });
    using b = new State(zeros([2]), { path: 'b' });
    b.assign(a.value);
    await commit();
    a.assign(a.value.mul(7));
    await commit();
    expect(await list(b.value)).toEqual([1, 2]);
    expect(await list(a.value)).toEqual([7, 14]);
  });

  test('of a value that is read as well', async () => {
    using a = new State(tensor([1, 2]), { path: 'a' });
    const next = a.value.add(1);
    a.assign(next);
    await commit(next);
    a.assign(a.value.mul(0));
    await commit();
    expect(await list(next)).toEqual([2, 3]);
    expect(await list(a.value)).toEqual([0, 0]);
  });

  test('refuse other shapes and dtypes', () => {
    using a = new State(tensor([1, 2]), { path: 'net.gain' });
    expect(() => a.assign(tensor([1, 2, 3]))).toThrow('net.gain: assign got shape [3], the cell has [2]');
    expect(() => a.assign(tensor([1, 2]).cast('int32'))).toThrow(
      "net.gain: assign got int32, the cell holds float32. Use .cast('float32')",
    );
    expect(() => a.write(new Float32Array(3))).toThrow('net.gain: got 3 values for shape [2], which takes 2');
  });

  test('write() copies and needs no kernel', async () => {
    const observed = observe();
    await withBackend(observed.backend, async () => {
      using a = new State(tensor([1, 2]), { path: 'a' });
      const values = Float32Array.of(5, 6);
      a.write(values);
      values[0] = 99;
      await commit();
      expect(await list(a.value)).toEqual([5, 6]);
      expect(observed.runs).toEqual([]);
      expect(await list(a.value.add(1))).toEqual([6, 7]);
    });
  });

  test('random programs of assignments mean what the same code on plain numbers means', async () => {
    setDevelopmentMode(false);
    const step = fc.record({
      to: fc.nat(2),
      from: fc.nat(2),
      scale: fc.constantFrom(-1, 0.5, 2),
      after: fc.constantFrom('nothing', 'commit', 'read', 'read old'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const states = [1, 2, 3].map((value) => new State(tensor([value, -value])));
        const plain = [1, 2, 3].map((value) => [value, -value]);
        let held: { t: Tensor; want: number[] }[] = [];
        for (const { to, from, scale, after } of steps) {
          const [target, source] = [states[to] as State, states[from] as State];
          held.push({ t: source.value.add(1), want: (plain[from] as number[]).map((v) => v + 1) });
          target.assign(target.value.mul(scale).add(source.value));
          plain[to] = (plain[to] as number[]).map((v, i) => Math.fround(v * scale + (plain[from]?.[i] as number)));
          if (after === 'commit') {
            const staged = held.map(({ t }) => t);
            await commit(...staged);
            for (const { t, want } of held) expect(await list(t)).toEqual(want.map(Math.fround));
            held = [];
          }
          if (after === 'read') {
            expect(await list(target.value)).toEqual(plain[to]);
            held = [];
          }
          if (after === 'read old') {
            const last = held.at(-1) as { t: Tensor; want: number[] };
            expect(await list(last.t)).toEqual(last.want.map(Math.fround));
            held = [];
          }
        }
        for (let i = 0; i < 3; i++) expect(await list((states[i] as State).value)).toEqual(plain[i]);
        for (const state of states) state.dispose();
      }),
      { numRuns: 60 },
    );
    setDevelopmentMode(true);
  });
});

describe('first values', () => {
  test('given as graphs are computed once, apart from the first step', async () => {
    const observed = observe();
    await withBackend(observed.backend, async () => {
      using w = new State(new Generator(3).normal([4]), { path: 'w' });
      const start = await list(w.value);
      expect(await list(w.value)).toEqual(start);
      expect(observed.runs).toHaveLength(1);
    });
  });

  test('may be another state of the same time', async () => {
    using a = new State(new Generator(3).normal([4]), { path: 'a' });
    using b = new State(a.value, { path: 'b' });
    a.assign(a.value.add(1));
    await commit();
    const [first, second] = [await list(a.value), await list(b.value)];
    expect(first).toEqual(second.map((x) => Math.fround(x + 1)));
  });

  test('of states that nobody holds any more are not computed', async () => {
    const observed = observe();
    await withBackend(observed.backend, async () => {
      const w = new State(tensor([1]).add(1), { path: 'w' });
      w.dispose();
      await commit();
      expect(observed.runs).toEqual([]);
      await expect(w.value.data()).rejects.toThrow('w: is used after dispose()');
    });
  });
});

function readHere(state: State): Tensor {
  return state.value.mul(2);
}

function overwriteHere(state: State): void {
  state.assign(state.value.add(1));
}

describe('StaleReadError', () => {
  test('names the path and both call sites', async () => {
    using x = new State(tensor([1]), { path: 'unet.enc.weight' });
    const old = readHere(x);
    overwriteHere(x);
    await commit();
    const error = await old.data().then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(StaleReadError);
    const { message, path } = error as StaleReadError;
    expect(path).toBe('unet.enc.weight');
    expect(message).toMatch(/^unet\.enc\.weight: a tensor built on an overwritten value is read/);
    expect(message).toMatch(/read at readHere \(.*cell\.test\.ts/);
    expect(message).toMatch(/overwritten at overwriteHere \(.*cell\.test\.ts/);
    expect(message).not.toContain('\n');
  });

  test('late in a loop names the sites of an earlier step', async () => {
    using x = new State(tensor([1]), { path: 'x' });
    for (let i = 0; i < 20; i++) {
      const old = readHere(x);
      overwriteHere(x);
      await commit();
      await expect(old.data()).rejects.toThrow(
        i < 17 ? /overwritten at overwriteHere [^.]*cell\.test\.ts:\d+:\d+\)\. Read/ : /readHere .* earlier value/,
      );
    }
  });

  test('also for values that were only assigned when the tensor was built', async () => {
    using x = new State(tensor([1]), { path: 'x' });
    x.assign(x.value.add(1));
    const t = x.value.mul(3);
    await commit();
    expect(await list(t)).toEqual([6]);
    x.assign(x.value.add(1));
    await commit();
    await expect(t.data()).rejects.toThrow(StaleReadError);
    await expect(commit(t)).rejects.toThrow(StaleReadError);
    await expect(realize(t)).rejects.toThrow(StaleReadError);
  });

  test('what was committed together with the update is never stale', async () => {
    using x = new State(tensor([1]), { path: 'x' });
    const loss = x.value.mul(2);
    x.assign(x.value.add(1));
    await commit(loss);
    x.assign(x.value.add(1));
    await commit();
    expect(await list(loss)).toEqual([2]);
  });

  test('an assignment that cannot be computed fails its own cell and no other', async () => {
    using x = new State(tensor([1]), { path: 'x' });
    using y = new State(tensor([1]), { path: 'y' });
    using z = new State(tensor([1]), { path: 'z' });
    const old = x.value;
    x.assign(x.value.add(1));
    await commit();
    y.assign(old.add(1));
    z.assign(z.value.add(1));
    await expect(commit()).rejects.toThrow(StaleReadError);
    expect(await list(z.value)).toEqual([2]);
    await expect(list(y.value)).rejects.toThrow('y: holds no valid values');
    y.write(Float32Array.of(4));
    expect(await list(y.value)).toEqual([4]);
  });
});

describe('a failed run', () => {
  test('poisons the cells it was to write until they are written again', async () => {
    const observed = observe();
    await withBackend(observed.backend, async () => {
      using x = new State(tensor([1]), { path: 'x' });
      using y = new State(tensor([1]), { path: 'y' });
      using bystander = new State(tensor([7]), { path: 'z' });
      await realize(bystander.value.add(1)).then(() => undefined);
      observed.fault = new Error('device lost');
      x.assign(x.value.add(1));
      y.assign(y.value.add(1));
      const loss = x.value.sum();
      await commit(loss);
      await expect(loss.item()).rejects.toThrow("run failed on backend 'observed js': device lost");
      observed.fault = undefined;
      await expect(list(x.value)).rejects.toThrow('x: holds no valid values');
      await expect(list(x.value.add(1))).rejects.toThrow('device lost');
      expect(await list(bystander.value)).toEqual([7]);
      // Going on does not bury the cause.
      for (let i = 0; i < 3; i++) {
        x.assign(x.value.add(1));
        await expect(commit()).rejects.toThrow(
          /^x: holds no valid values, .*\(run failed on backend 'observed js': device lost\)/,
        );
      }
      x.write(Float32Array.of(3));
      expect(await list(x.value.add(1))).toEqual([4]);
      y.assign(bystander.value.mul(2));
      await commit();
      expect(await list(y.value.add(1))).toEqual([15]);
    });
  });

  test('fails the runs that were given after it and read its results', async () => {
    const observed = observe();
    await withBackend(observed.backend, async () => {
      using x = new State(tensor([1]), { path: 'x' });
      using y = new State(tensor([1]), { path: 'y' });
      observed.fault = new Error('device lost');
      let open: () => void = () => undefined;
      observed.gate = new Promise<void>((resolve) => {
        open = resolve;
      });
      x.assign(x.value.add(1));
      await commit();
      observed.fault = undefined;
      y.assign(x.value.add(1));
      await commit();
      open();
      await expect(list(y.value)).rejects.toThrow('device lost');
      await expect(list(y.value)).rejects.toThrow('y: holds no valid values');
    });
  });
});

describe('another backend', () => {
  test('takes cells over when it uses them', async () => {
    const [first, second] = [createJsBackend(), createJsBackend({ interpret: true })];
    const before = currentBackend();
    try {
      setBackend(first);
      using x = new State(tensor([1, 2]), { path: 'x' });
      x.assign(x.value.add(1));
      await commit();
      x.assign(x.value.mul(2));
      setBackend(second);
      expect(await list(x.value)).toEqual([4, 6]);
      x.assign(x.value.sub(1));
      await commit();
      setBackend(first);
      expect(await list(x.value.add(x.value))).toEqual([6, 10]);
    } finally {
      setBackend(before);
    }
  });
});
