import { commit, compile, Generator, grad, memory, State, type Tensor, tensor, withBackend } from '@evenkeel/tensor';
import { describe, expect, test } from 'vitest';
import { explain } from '../src/debug/index.ts';
import { guardLeaks } from './leak-guarded.ts';
import { type Observed, observe } from './runtime-backends.ts';

guardLeaks();

const random = new Generator(11);

function normalize(w: Tensor): Tensor {
  return w.div(w.square().sum(1, { keepAxes: true }).sqrt().add(1e-4));
}

/** Steps of all runs since the last call. */
function steps(observed: Observed): number {
  return observed.runs.splice(0).reduce((a, b) => a + b, 0);
}

describe('what depends on cells alone', () => {
  test('is computed once until a cell changes, with identical results', async () => {
    const observed = observe();
    await withBackend(observed.backend, async () => {
      const first = new State(random.normal([6, 8]), { path: 'net.first' });
      const second = new State(random.normal([8, 6]), { path: 'net.second' });
      const network = (x: Tensor) => x.matmul(normalize(first.value)).silu().matmul(normalize(second.value));
      const x = random.normal([4, 6]);
      await commit();
      steps(observed);
      const result = Array.from(await network(x).data());
      const whole = steps(observed);
      expect(memory().preludes).toBe(2 * 48 * 4);
      const counts: number[] = [];
      for (let i = 0; i < 3; i++) {
        expect(Array.from(await network(x).data())).toEqual(result);
        counts.push(steps(observed));
      }
      const [rest] = counts as [number];
      expect(rest).toBeLessThan(whole);
      expect(counts).toEqual([rest, rest, rest]);
      // Another user of the same weights shares them.
      await network(x.mul(2)).sum().data();
      expect(memory().preludes).toBe(2 * 48 * 4);
      steps(observed);

      // One weight moves: its part is computed anew, and the other's is still there.
      first.assign(first.value.mul(2).add(0.1));
      await commit();
      steps(observed);
      expect(memory().preludes).toBe(48 * 4);
      const moved = Array.from(await network(x).data());
      expect(moved).not.toEqual(result);
      expect(steps(observed)).toBeGreaterThan(rest);
      expect(Array.from(await network(x).data())).toEqual(moved);
      expect(steps(observed)).toBe(rest);
      expect(memory().preludes).toBe(2 * 48 * 4);

      first.dispose();
      second.dispose();
      await commit();
      expect(memory().preludes).toBe(0);
    });
  });

  test('is kept while a sampler moves a state of its own', async () => {
    const observed = observe();
    await withBackend(observed.backend, async () => {
      using weight = new State(random.normal([6, 6]), { path: 'weight' });
      using sample = new State(random.normal([2, 6]), { path: 'sample' });
      await commit();
      const plain = await sample.value.data();
      const w = await weight.value.data();
      const counts: number[] = [];
      for (let i = 0; i < 5; i++) {
        sample.assign(sample.value.sub(sample.value.matmul(normalize(weight.value)).mul(0.1 * (i + 1))));
        steps(observed);
        await commit();
        await sample.value.data();
        counts.push(steps(observed));
      }
      expect(counts[1]).toBeLessThan(counts[0] as number);
      expect(new Set(counts.slice(1)).size).toBe(1);
      // The same in plain loops.
      const unit = Array.from(w, (value, i) => {
        const row = w.subarray(6 * Math.floor(i / 6), 6 * Math.floor(i / 6) + 6);
        return value / (Math.sqrt(row.reduce((sum, other) => sum + other * other, 0)) + 1e-4);
      });
      let state = Array.from(plain);
      for (let i = 0; i < 5; i++) {
        state = state.map((value, at) => {
          const [row, column] = [Math.floor(at / 6), at % 6];
          let sum = 0;
          for (let k = 0; k < 6; k++) sum += (state[6 * row + k] as number) * (unit[6 * k + column] as number);
          return value - 0.1 * (i + 1) * sum;
        });
      }
      (await sample.value.data()).forEach((value, i) => {
        expect(value).toBeCloseTo(state[i] as number, 4);
      });
    });
  });

  test('is told apart by the numbers in it', async () => {
    using weight = new State(tensor([[3, 4]]), { path: 'weight' });
    const scaled = (scale: number) =>
      weight.value
        .mul(scale)
        .sum(1)
        .mul(tensor([1]));
    for (let i = 0; i < 4; i++) {
      expect(await scaled(1).item()).toBe(7);
      expect(await scaled(2).item()).toBe(14);
    }
  });

  test('is not taken out of a step that updates the cells', async () => {
    using weight = new State(random.normal([6, 6]), { path: 'weight' });
    await commit();
    for (let i = 0; i < 3; i++) {
      const loss = random.normal([2, 6]).matmul(normalize(weight.value)).square().mean();
      weight.assign(weight.value.sub(grad(loss, weight.value)));
      await commit(loss);
      expect(memory().preludes).toBe(0);
    }
  });

  test('has the same bits in compiled functions, which compute it once too', async () => {
    const observed = observe();
    await withBackend(observed.backend, async () => {
      using weight = new State(random.normal([6, 6]), { path: 'weight' });
      await commit();
      const network = (x: Tensor) => x.matmul(normalize(weight.value)).silu();
      const compiled = compile(network);
      const x = random.normal([4, 6]);
      await x.realize();
      const check = async () => {
        steps(observed);
        const first = Array.from(await (await compiled(x)).data());
        const whole = steps(observed);
        const second = Array.from(await (await compiled(x)).data());
        expect(steps(observed)).toBeLessThan(whole);
        const eager = Array.from(await network(x).data());
        expect(first).toEqual(eager);
        expect(second).toEqual(eager);
      };
      await check();
      weight.assign(weight.value.mul(3).add(1));
      await commit();
      await check();
      x.dispose();
    });
  });

  test('is listed by explain() as long as it is not computed', async () => {
    using weight = new State(random.normal([6, 6]), { path: 'net.weight' });
    await commit();
    const x = random.normal([4, 6]);
    const before = explain(x.matmul(normalize(weight.value)));
    expect(before.steps.filter((step) => step.prelude)).toHaveLength(1);
    expect(String(before)).toContain('once, until a cell changes');
    await x.matmul(normalize(weight.value)).data();
    const after = explain(x.matmul(normalize(weight.value)));
    expect(after.steps).toHaveLength(before.steps.length - 1);
    expect(after.steps.some(({ reads }) => reads.includes('prelude of net.weight'))).toBe(true);
  });
});
