import { describe, expect, test } from 'vitest';
import {
  commit,
  compile,
  eye,
  Generator,
  grad,
  memory,
  ones,
  realize,
  State,
  type Tensor,
  tensor,
  zeros,
} from '../src/index.ts';
import { of, sample, values } from './values.ts';

describe('reading', () => {
  test('data in the dtype’s host array, of its own', async () => {
    const x = tensor([1, 2, 3]);
    const first = await x.data();
    expect(first).toEqual(new Float32Array([1, 2, 3]));
    first[0] = 9;
    expect(await x.data()).toEqual(new Float32Array([1, 2, 3]));
    expect(await x.less(2).data()).toEqual(new Uint8Array([1, 0, 0]));
    expect(await x.cast('int32').add(1).data()).toEqual(new Int32Array([2, 3, 4]));
    expect(await zeros([0, 3]).data()).toEqual(new Float32Array(0));
  });

  test('items, nested arrays and ndarrays', async () => {
    const x = of('float64', [1, 2, 3, 4, 5, 6], [2, 3]).mul(2);
    expect(await x.sum().item()).toBe(42);
    expect(await x.sum([0, 1], { keepAxes: true }).item()).toBe(42);
    expect(await x.array()).toEqual([[2, 4, 6], [8, 10, 12]]); // biome-ignore format: one line
    expect(await x.less(5).array()).toEqual([[true, true, false], [false, false, false]]); // biome-ignore format: one line
    expect(await x.sum().array()).toBe(42);
    expect(await zeros([2, 0]).array()).toEqual([[], []]);
    const nd = await x.ndarray();
    expect(nd.shape).toEqual([2, 3]);
    expect(nd.get(1, 2)).toBe(12);
    expect(await tensor(nd.transpose(1, 0)).array()).toEqual(await x.transpose().array());
    await expect(x.item()).rejects.toThrow('item: [2, 3] has 6 elements, not one. Reduce first, or use data()');
  });

  test('agrees with the reference over a longer way', async () => {
    const [x, w] = [sample([4, 6], 1), sample([6, 5], 2)];
    const y = x.matmul(w).silu().softmax(0).cumsum(1).slice(null, [null, null, -2]);
    const got = await y.data();
    values(y).forEach((value, i) => {
      expect(got[i]).toBeCloseTo(value, 13);
    });
  });

  test('draws compute once: the same numbers at each reading', async () => {
    const noise = new Generator(3).normal([100], { dtype: 'float64' });
    const [first, again] = [await noise.data(), await noise.mul(1).data()];
    expect(again).toEqual(first);
    values(noise).forEach((value, i) => {
      expect(first[i]).toBeCloseTo(value, 12);
    });
  });
});

describe('pinned results', () => {
  test('keep their values and let go of how they were made', async () => {
    const x = ones([1000]).add(1);
    const before = memory().pinned;
    {
      using y = await x.mul(3).realize();
      expect(y.node.op).toBe('buffer');
      expect(memory().pinned - before).toBe(4000);
      expect(await y.add(1).sum().item()).toBe(7000);
    }
    expect(memory().pinned).toBe(before);
  });

  test('realize several together; dispose is safe to repeat', async () => {
    const [a, b] = [ones([3]).mul(2), ones([3]).mul(3)];
    await realize(a, b);
    expect([a.node.op, b.node.op]).toEqual(['buffer', 'buffer']);
    expect(await a.add(b).array()).toEqual([5, 5, 5]);
    for (const x of [a, b, a]) x.dispose();
    await expect(a.data()).rejects.toThrow('disposed');
  });
});

describe('State', () => {
  test('assigns at once in the graph, and commits', async () => {
    using count = new State(zeros([]), { path: 'count' });
    for (let i = 0; i < 3; i++) count.assign(count.value.add(1));
    await commit();
    expect(await count.value.item()).toBe(3);
    count.write(new Float32Array([7]));
    expect(await count.value.item()).toBe(7);
    expect([count.path, count.shape, count.dtype]).toEqual(['count', [], 'float32']);
  });

  test('refuses another shape, naming the path', () => {
    using weight = new State(zeros([2]), { path: 'net.weight' });
    expect(() => weight.assign(zeros([3]))).toThrow('net.weight: assign got shape [3], the cell has [2]');
  });

  test('descends a gradient', async () => {
    using point = new State(of('float64', [3, -4]));
    for (let i = 0; i < 50; i++) {
      const loss = point.value
        .sub(of('float64', [1, 2]))
        .square()
        .sum();
      point.assign(point.value.sub(grad(loss, point.value).mul(0.2)));
      await commit(loss);
    }
    const [x, y] = (await point.value.array()) as [number, number];
    expect(x).toBeCloseTo(1, 8);
    expect(y).toBeCloseTo(2, 8);
  });
});

describe('compile', () => {
  test('gives results in the function’s form', async () => {
    const both = compile((x: Tensor, scale: Tensor) => ({ scaled: x.mul(scale), total: x.sum() }));
    for (const scale of [2, 3]) {
      const { scaled, total } = await both(tensor([1, 2]), scale);
      expect(await scaled.array()).toEqual([scale, 2 * scale]);
      expect(await total.item()).toBe(3);
      scaled.dispose();
      total.dispose();
    }
    const list = compile((x: Tensor) => [x, x.neg()]);
    expect(await Promise.all((await list(tensor([1]))).map((x) => x.array()))).toEqual([[1], [-1]]);
  });

  test('traces once for each signature', async () => {
    let traces = 0;
    const square = compile((x: Tensor) => {
      traces++;
      return x.square();
    });
    for (const x of [tensor([1, 2]), tensor([3, 4]), tensor([1, 2, 3]), of('float64', [1, 2])]) {
      using result = await square(x);
      expect(result.shape).toEqual(x.shape);
      expect(result.dtype).toBe(x.dtype);
    }
    expect(traces).toBe(3);
  });

  test('updates states and draws anew at each call', async () => {
    using total = new State(zeros([], { dtype: 'float64' }));
    const random = new Generator(5);
    const step = compile(() => {
      const draw = random.uniform([2], { dtype: 'float64' });
      total.assign(total.value.add(draw.sum()));
      return draw;
    });
    const reference = new Generator(5);
    let sum = 0;
    for (let i = 0; i < 3; i++) {
      using draw = await step();
      const expected = values(reference.uniform([2], { dtype: 'float64' }));
      expect([...(await draw.data())]).toEqual(expected);
      sum += (expected[0] as number) + (expected[1] as number);
      expect(await total.value.item()).toBeCloseTo(sum, 14);
    }
    expect(random.state()).toEqual(reference.state());
  });

  test('refuses what cannot be traced', async () => {
    await expect(compile((async (x: Tensor) => x) as never)(tensor([1]) as never)).rejects.toThrow(
      'compile: the function is asynchronous',
    );
    await expect(compile(() => ({ a: 1 }) as never)()).rejects.toThrow('compile: the function must give a tensor');
    await expect(compile((x: Tensor) => x)('x' as never)).rejects.toThrow('compile: inputs must be tensors or numbers');
    await expect(compile(() => new Generator(1).permutation(3))()).rejects.toThrow('permutation: is drawn on the host');
  });
});

test('handles print their dtype and shape', () => {
  expect(String(eye(2))).toBe('Tensor(float32 [2, 2])');
});
