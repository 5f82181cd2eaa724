import { describe, expect, test } from 'vitest';
import { arange, commit, full, Generator, grad, linspace, State, tensor, zeros } from '../src/index.ts';

const half = { dtype: 'float16' } as const;
/** The nearest float16 of 0.1. */
const tenth = 0.0999755859375;

describe('float16, a dtype to store in', () => {
  test('holds rounded values, whether or not anything was computed', async () => {
    expect(await tensor([0.1, 65519, 65520, 1e-8], half).array()).toEqual([tenth, 65504, Number.POSITIVE_INFINITY, 0]);
    expect(await tensor(new Float64Array([0.1]), half).array()).toEqual([tenth]);
    expect(await tensor(0.1, half).item()).toBe(tenth);
    expect(await full([2], 0.1, half).array()).toEqual([tenth, tenth]);
    expect(await linspace(0, 0.1, 2, half).array()).toEqual([0, tenth]);
    expect(await arange(0, 0.2, 0.1, half).array()).toEqual([0, tenth]);
    expect(await tensor([1], half).mul(0.1).array()).toEqual([tenth]);
    expect(await tensor([0.1]).cast('float16').cast('float64').item()).toBe(tenth);
  });

  test('keeps the sign of zero, given or rounded to', async () => {
    const zeros = tensor([-0, 0, -1e-9, 1e-9], half);
    expect(await zeros.array()).toEqual([-0, 0, -0, 0]);
    expect(await tensor(1, half).div(zeros).array()).toEqual([-Infinity, Infinity, -Infinity, Infinity]);
    expect(await tensor([-0, -1e-9]).cast('float16').array()).toEqual([-0, -0]);
  });

  test('in states, given and assigned', async () => {
    using s = new State(tensor([0.1], half));
    expect(await s.value.array()).toEqual([tenth]);
    s.write(Float32Array.of(0.2));
    expect(await s.value.array()).toEqual([2 * tenth]);
    s.assign(s.value.add(tensor([0.1], half)));
    await commit();
    expect(await s.value.array()).toEqual([0.2998046875]);
  });

  test('is computed with in float32 where sums leave its range', async () => {
    const x = full([5000], 100, half);
    expect(await x.mean().item()).toBe(100);
    expect(await x.var().item()).toBe(0);
    expect(await tensor([300, 400], half).norm().item()).toBe(500);
    expect(await tensor([12, 12], half).logsumexp().item()).toBeCloseTo(12.695, 2);
    expect(await full([5000], 1, half).sum().item()).toBe(5000);
    const rows = zeros([100_000], half).softmax();
    expect(rows.dtype).toBe('float16');
    expect(await rows.max().item()).toBeCloseTo(1e-5, 6);
  });

  test('has gradients in its own dtype', async () => {
    const x = tensor([300, 400], half);
    const g = grad(x.norm(), x);
    expect(g.dtype).toBe('float16');
    expect(await g.array()).toEqual([0.60009765625, 0.7998046875]);
  });

  test('is drawn within its range', async () => {
    const uniform = await new Generator(1).uniform([20_000], half).data();
    expect(Math.max(...uniform)).toBeLessThan(1);
    expect(uniform.reduce((a, b) => a + b) / uniform.length).toBeCloseTo(0.5, 2);
    const normal = await new Generator(1).normal([20_000], half).data();
    expect(normal.reduce((a, b) => a + b * b) / normal.length).toBeCloseTo(1, 1);
  });
});
