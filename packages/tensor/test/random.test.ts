import { describe, expect, test } from 'vitest';
import { Generator } from '../src/index.ts';
import { values } from './values.ts';

describe('Generator', () => {
  test('the same seed gives the same numbers, draw by draw; reading twice too', () => {
    const [a, b] = [new Generator(7), new Generator(7)];
    const first = a.uniform([5]);
    expect(values(first)).toEqual(values(first));
    expect(values(first)).toEqual(values(b.uniform([5])));
    expect(values(a.uniform([5]))).not.toEqual(values(first));
    expect(values(new Generator(8).uniform([5]))).not.toEqual(values(first));
    expect(values(new Generator(7 + 2 ** 32).uniform([5]))).not.toEqual(values(first));
  });

  test('bits are those of Threefry-2x32 (vectors of the Random123 distribution)', () => {
    // Key 0, counter 0, 20 rounds: 6b200159 99ba4efe.
    expect(values(new Generator(0).bits([1]))).toEqual([0x6b200159]);
  });

  test('goes on from a saved state', () => {
    const random = new Generator(3);
    random.normal([2]);
    random.shuffle(4);
    const state = JSON.parse(JSON.stringify(random.state()));
    const again = Generator.fromState(state);
    expect(values(again.normal([4]))).toEqual(values(random.normal([4])));
    expect([...again.shuffle(9)]).toEqual([...random.shuffle(9)]);
    expect(again.state()).toEqual(random.state());
  });

  test('forks by name are independent of draws and of each other', () => {
    const random = new Generator(3);
    const before = values(random.fork('noise').uniform([4]));
    random.uniform([4]);
    expect(values(random.fork('noise').uniform([4]))).toEqual(before);
    // Also names that differ in their second word alone.
    const names = ['sigma', 'noises', 'esion', 0, 1, 2 ** 32, 1 + 2 ** 32];
    const others = names.map((name) => values(random.fork(name).uniform([4])));
    expect(new Set([before, ...others].map(String)).size).toBe(8);
  });

  test('uniform numbers fill their range evenly', () => {
    const drawn = values(new Generator(1).uniform([20_000], { low: -2, high: 2, dtype: 'float64' }));
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...drawn)).toBeLessThan(2);
    const counts = new Array<number>(16).fill(0);
    for (const x of drawn) counts[Math.floor((x + 2) * 4)]! += 1;
    // Chi-square with 15 degrees of freedom: 50 is passed with probability 1e-5. The seed is fixed.
    const chi = counts.reduce((sum, count) => sum + (count - 1250) ** 2 / 1250, 0);
    expect(chi).toBeLessThan(50);
  });

  test('normal numbers have the moments and tails of a normal distribution', () => {
    const drawn = values(new Generator(2).normal([40_000], { dtype: 'float64' }));
    const moment = (power: number) => drawn.reduce((sum, x) => sum + x ** power, 0) / drawn.length;
    expect(Math.abs(moment(1))).toBeLessThan(0.02);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.03);
    expect(Math.abs(moment(3))).toBeLessThan(0.08);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.25);
    expect(drawn.every(Number.isFinite)).toBe(true);
    const wide = values(new Generator(2).normal([40_000], { mean: 5, std: 2, dtype: 'float64' }));
    expect(wide[17]).toBeCloseTo(5 + 2 * (drawn[17] as number), 12);
  });

  test('normal numbers are finite where all bits kept of a draw are 0', () => {
    // Found by trying: one draw in 2^24 is like this.
    expect(values(new Generator(893186).bits([13]))[12]).toBeLessThan(2 ** 8);
    const rarest = values(new Generator(893186).normal([13], { dtype: 'float64' }))[12] as number;
    expect(Math.abs(rarest)).toBeLessThanOrEqual(Math.sqrt(-2 * Math.log(2 ** -24)));
  });

  test('integers stay in range and reach its ends', () => {
    const drawn = values(new Generator(4).integers(-2, 3, [1000]));
    expect([...new Set(drawn)].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
    expect(() => new Generator(4).integers(3, 3, [1])).toThrow(
      'integers: needs whole numbers with low < high, got 3 and 3',
    );
  });

  test('permutations hold every number once, and differ', () => {
    const random = new Generator(5);
    const first = values(random.permutation(50));
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(values(random.permutation(50))).not.toEqual(first);
    expect(random.permutation(50).dtype).toBe('int32');
    expect([...new Generator(5).shuffle(50)]).toEqual(first);
    expect(random.permutation(0).shape).toEqual([0]);
  });

  test('every order of three is as likely', () => {
    const random = new Generator(6);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = String([...random.shuffle(3)]);
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test('refuses bad seeds, states and dtypes', () => {
    expect(() => new Generator(-1)).toThrow('Generator: a seed is a whole number from 0 to 2^53 - 1, got -1');
    expect(() => new Generator(0.5)).toThrow('Generator: a seed');
    expect(() => Generator.fromState({ key: [0, -1], draws: 0 })).toThrow('is no state');
    expect(() => new Generator(1).normal([2], { dtype: 'int32' })).toThrow(
      'normal: draws real numbers, got dtype int32',
    );
    expect(() => new Generator(1).uniform([-2])).toThrow('Generator: sizes must be whole numbers');
  });
});
