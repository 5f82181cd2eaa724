import {
  commit,
  compile,
  Generator,
  grad,
  StaleReadError,
  State,
  type Tensor,
  tensor,
  withBackend,
  zeros,
} from '@evenkeel/tensor';
import { describe, expect, test } from 'vitest';
import { planCount } from '../src/runtime/plan-cache.ts';
import { guardLeaks, list } from './leak-guarded.ts';
import { observe } from './runtime-backends.ts';

guardLeaks();

/** One step of Adam for sum((w x - y)²), with its states. */
function problem() {
  const w = new State(tensor([0.5, -1, 2]), { path: 'w' });
  const m = new State(zeros([3]), { path: 'm' });
  const v = new State(zeros([3]), { path: 'v' });
  const step = (x: Tensor, rate: Tensor): Tensor => {
    const loss = w.value.mul(x).sub(1).square().sum();
    const g = grad(loss, w.value);
    m.assign(m.value.mul(0.9).add(g.mul(0.1)));
    v.assign(v.value.mul(0.99).add(g.square().mul(0.01)));
    w.assign(w.value.sub(m.value.div(v.value.sqrt().add(1e-8)).mul(rate)));
    return loss;
  };
  const dispose = () => {
    for (const state of [w, m, v]) state.dispose();
  };
  return { w, step, dispose };
}

describe('compile', () => {
  test('replays equal eager steps, states and losses, bit for bit', async () => {
    const [eager, traced] = [problem(), problem()];
    const compiled = compile(traced.step);
    for (let i = 0; i < 6; i++) {
      const x = tensor([1, i, 0.5 * i]);
      const rate = Math.fround(0.1 / (i + 1));
      const expected = eager.step(x, tensor(rate));
      await commit(expected);
      const loss = await compiled(x, rate);
      expect(await list(loss)).toEqual(await list(expected));
      expect(await list(traced.w.value)).toEqual(await list(eager.w.value));
    }
    eager.dispose();
    traced.dispose();
  });

  test('traces once for each signature and makes one plan', async () => {
    let calls = 0;
    const double = compile((x: Tensor) => {
      calls++;
      return x.mul(2);
    });
    const before = planCount();
    for (let i = 0; i < 4; i++) expect(await list(await double(tensor([i])))).toEqual([2 * i]);
    expect(calls).toBe(1);
    expect(planCount() - before).toBe(1);
    expect(await list(await double(tensor([1, 2])))).toEqual([2, 4]);
    expect(await list(await double(5))).toEqual([10]);
    expect(calls).toBe(3);
  });

  test('takes graphs and states as inputs, computed in the order of the calls', async () => {
    using x = new State(tensor([1, 2]), { path: 'x' });
    const addTo = compile((y: Tensor) => {
      x.assign(x.value.add(y));
      return x.value.sum();
    });
    x.assign(x.value.mul(10));
    const first = addTo(x.value);
    const second = addTo(tensor([1, 1]).add(1));
    expect(await list(await first)).toEqual([60]);
    expect(await list(await second)).toEqual([64]);
    expect(await list(x.value)).toEqual([22, 42]);
  });

  test('draws random numbers anew at each call, as eager code would', async () => {
    const [a, b] = [new Generator(5), new Generator(5)];
    const noisy = compile((x: Tensor) => x.add(a.normal([3])));
    const x = tensor([0, 0, 0]);
    const seen = new Set<string>();
    for (let i = 0; i < 4; i++) {
      const got = await list(await noisy(x));
      expect(got).toEqual(await list(x.add(b.normal([3]))));
      seen.add(got.join());
    }
    expect(seen.size).toBe(4);
    expect(a.state()).toEqual(b.state());
  });

  test('draws go on where a generator is told to, and forks are made anew', async () => {
    const draw = (random: Generator) => [random.normal([2]), random.fork('mask').uniform([2]), random.bits([1])];
    const given = new Generator(0);
    const drawn = compile((x: Tensor) => draw(given).map((t) => t.cast('float32').add(x)));
    for (const seed of [7, 7, 8]) {
      const own = new Generator(seed);
      given.restore(own.state());
      const expected = draw(own).map((t) => t.cast('float32').add(0));
      const got = await drawn(0);
      expect(await Promise.all(got.map(list))).toEqual(await Promise.all(expected.map(list)));
      expect(given.state()).toEqual(own.state());
    }
  });

  test('takes and gives lists and plain objects; their form is part of the signature', async () => {
    let calls = 0;
    const f = compile(({ x, rates, mask }: { x: Tensor; rates: readonly Tensor[]; mask?: Tensor | null }) => {
      calls++;
      const scaled = rates.map((rate) => x.mul(rate));
      return { scaled, masked: mask ? x.mul(mask) : null };
    });
    const x = tensor([1, 2]);
    for (const rates of [
      [2, 3],
      [4, 5],
    ]) {
      const { scaled, masked } = await f({ x, rates });
      expect(await Promise.all(scaled.map(list))).toEqual(rates.map((rate) => [rate, 2 * rate]));
      expect(masked).toBeNull();
    }
    expect(calls).toBe(1);
    const { masked } = await f({ x, rates: [], mask: tensor([0, 1]) });
    expect(await list(masked as Tensor)).toEqual([0, 2]);
    expect(calls).toBe(2);
    const odd = f({ x, rates: new Set([1]) as unknown as number[] });
    await expect(odd).rejects.toThrow('inputs must be tensors or numbers, or lists and plain objects of them');
  });

  test('numbers arrive in the dtype asked for', async () => {
    const f = compile((x: Tensor) => x.mul(1), { numbers: 'float64' });
    const result = await f(0.1);
    expect(result.dtype).toBe('float64');
    expect(await result.item()).toBe(0.1);
  });

  test('states made while tracing live on', async () => {
    let total: State | undefined;
    const accumulate = compile((x: Tensor) => {
      total ??= new State(zeros([2]).add(1), { path: 'total' });
      total.assign(total.value.add(x));
      return total.value;
    });
    await accumulate(tensor([1, 2]));
    await accumulate(tensor([1, 2]));
    const state = total as unknown as State;
    expect(await list(state.value)).toEqual([3, 5]);
    state.dispose();
  });

  test('makes tensors on the values before a call stale', async () => {
    using x = new State(tensor([1]), { path: 'x' });
    const double = compile((y: Tensor) => {
      x.assign(x.value.mul(y));
    });
    const old = x.value.add(1);
    await double(2);
    await expect(old.data()).rejects.toThrow(StaleReadError);
    expect(await list(x.value)).toEqual([2]);
  });

  test('leaves nothing assigned while tracing fails', async () => {
    using x = new State(tensor([1]), { path: 'x' });
    const broken = compile((y: Tensor) => {
      x.assign(x.value.add(y));
      return x.value.reshape(1, 1).matmul(zeros([2, 2]));
    });
    await expect(broken(tensor([1]))).rejects.toThrow('matmul');
    expect(await list(x.value)).toEqual([1]);
  });

  test('refuses to read values while tracing', async () => {
    const reads = compile((x: Tensor) => {
      const early = x.mul(2).data();
      early.catch(() => undefined);
      lost = early;
      return x;
    });
    let lost: Promise<unknown> | undefined;
    await reads(tensor([1]));
    await expect(lost).rejects.toThrow('data(): a compiled function is being traced, and its values are not known yet');
    const asynchronous = compile((async (x: Tensor) => x.mul(await x.item())) as unknown as (x: Tensor) => Tensor);
    await expect(asynchronous(tensor(1))).rejects.toThrow('compile: the function is asynchronous');
  });

  test('an input read outside of the function says so', async () => {
    let leaked: Tensor | undefined;
    const f = compile((x: Tensor) => {
      leaked = x.mul(3);
      return x;
    });
    await f(tensor([1]));
    await expect((leaked as unknown as Tensor).data()).rejects.toThrow(
      'an input of a compiled function is read outside of it',
    );
  });

  test('small results hold nothing on the device; large ones until they are disposed', async () => {
    const observed = observe();
    await withBackend(observed.backend, async () => {
      const f = compile((x: Tensor) => [x.sum(), x.mul(2)] as const);
      const x = zeros([2000]).add(1);
      const [sum, twice] = await f(x);
      expect(await sum.item()).toBe(2000);
      expect((await twice.data())[1999]).toBe(2);
      expect(await list(twice.sum().add(sum))).toEqual([6000]);
      twice.dispose();
      await expect(twice.data()).rejects.toThrow('was disposed');
    });
  });
});
