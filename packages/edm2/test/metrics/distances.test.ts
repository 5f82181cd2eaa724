import { Generator } from '@evenkeel/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evenMixture, frechetDistance, kernelDistance, RunningStatistics } from '../../src/index.ts';

const value = fc.double({ min: -4, max: 4, noNaN: true });
const rowsOf = (width: number, minimum = 2) =>
  fc
    .array(fc.array(value, { minLength: width, maxLength: width }), { minLength: minimum, maxLength: 20 })
    .map((rows) => rows.flat());

function statisticsOf(features: readonly number[], featureDim: number) {
  const statistics = new RunningStatistics(featureDim);
  statistics.add(features);
  return statistics.result();
}

describe('running statistics', () => {
  test('do not depend on how features are cut into batches', () => {
    fc.assert(
      fc.property(rowsOf(3), fc.nat(19), (features, cut) => {
        const at = 3 * Math.min(cut, features.length / 3);
        const split = new RunningStatistics(3);
        split.add(features.slice(0, at));
        split.add(features.slice(at));
        expect(split.result()).toEqual(statisticsOf(features, 3));
      }),
    );
  });

  test('are those of plain loops, over more rows than are held', async () => {
    const features = [...(await new Generator(1).normal([150, 5]).data())];
    const { mean, covariance, count } = statisticsOf(features, 5);
    expect(count).toBe(150);
    for (let i = 0; i < 5; i++) {
      const column = (k: number) => Array.from({ length: 150 }, (_, row) => features[row * 5 + k]!);
      const average = (values: number[]) => values.reduce((sum, one) => sum + one, 0) / 150;
      expect(mean[i]).toBeCloseTo(average(column(i)), 12);
      for (let j = 0; j < 5; j++) {
        const [x, y] = [column(i), column(j)];
        const [mx, my] = [average(x), average(y)];
        const sum = x.reduce((total, one, row) => total + (one - mx) * (y[row]! - my), 0);
        expect(covariance[i * 5 + j]).toBeCloseTo(sum / 149, 12);
      }
    }
  });

  test('refuse parts of rows, numbers that are none, and a single image', () => {
    const statistics = new RunningStatistics(2);
    expect(() => statistics.add([1])).toThrow(/1 numbers are no rows of 2/);
    expect(() => statistics.add([1, Number.NaN])).toThrow(/feature 1 of a row is NaN/);
    const one = new RunningStatistics(2);
    one.add([1, 2]);
    expect(() => one.result()).toThrow(/at least 2 images, got 1/);
  });

  test('of parts that count alike: rows that are repeated until they do', () => {
    fc.assert(
      fc.property(rowsOf(2), rowsOf(2), (a, b) => {
        const mixed = evenMixture([statisticsOf(a, 2), statisticsOf(b, 2)]);
        const repeated = statisticsOf(
          [...Array(b.length / 2).fill(a), ...Array(a.length / 2).fill(b)].flat() as number[],
          2,
        );
        expect(mixed.count).toBe((a.length + b.length) / 2);
        // The divisor of a covariance knows how many rows there are; the mixture takes the real number.
        const scale = (mixed.count / (mixed.count - 1)) * ((repeated.count - 1) / repeated.count);
        mixed.mean.forEach((mean, i) => {
          expect(mean).toBeCloseTo(repeated.mean[i]!, 10);
        });
        mixed.covariance.forEach((covariance, i) => {
          expect(covariance).toBeCloseTo(repeated.covariance[i]! * scale, 10);
        });
      }),
    );
  });
});

describe('the Fréchet distance', () => {
  test('of one dimension is (m1 - m2)^2 + (s1 - s2)^2', () => {
    const std = fc.double({ min: 0, max: 5, noNaN: true });
    fc.assert(
      fc.property(value, value, std, std, (m1, m2, s1, s2) => {
        const set = (mean: number, deviation: number) => ({
          mean: Float64Array.of(mean),
          covariance: Float64Array.of(deviation ** 2),
        });
        expect(frechetDistance(set(m1, s1), set(m2, s2))).toBeCloseTo((m1 - m2) ** 2 + (s1 - s2) ** 2, 10);
      }),
    );
  });

  test('is 0 from a set to itself, the same both ways, and never below 0 by more than rounding', () => {
    fc.assert(
      fc.property(rowsOf(4), rowsOf(4), (a, b) => {
        const [first, second] = [statisticsOf(a, 4), statisticsOf(b, 4)];
        // The largest eigenvalue of a covariance is below 4 * 16 * 2, and four roots of 16 roundings of its square.
        const rounding = 4 * Math.sqrt(16 * Number.EPSILON) * 128;
        expect(Math.abs(frechetDistance(first, first))).toBeLessThan(rounding);
        const distance = frechetDistance(first, second);
        expect(distance).toBeGreaterThan(-rounding);
        expect(Math.abs(frechetDistance(second, first) - distance)).toBeLessThan(2 * rounding);
      }),
    );
  });

  test('of fewer images than dimensions, in subspaces that meet at right angles, is the sum of all spread', async () => {
    const wide = async (seed: number, from: number) => {
      const few = await new Generator(seed).normal([4, 3]).data();
      const features = new Array<number>(4 * 12).fill(0);
      few.forEach((one, i) => {
        features[Math.floor(i / 3) * 12 + from + (i % 3)] = one;
      });
      return statisticsOf(features, 12);
    };
    const [a, b] = [await wide(1, 0), await wide(2, 6)];
    let expected = 0;
    for (let i = 0; i < 12; i++) {
      expected += (a.mean[i]! - b.mean[i]!) ** 2 + a.covariance[13 * i]! + b.covariance[13 * i]!;
    }
    expect(frechetDistance(a, b)).toBeCloseTo(expected, 12);
  });

  test('refuses sets of different networks and numbers that are none', () => {
    const set = (...mean: number[]) => ({
      mean: Float64Array.from(mean),
      covariance: new Float64Array(mean.length ** 2),
    });
    expect(() => frechetDistance(set(1), set(1, 2))).toThrow(/2 features beside 1\. Are both of the same network/);
    expect(() => frechetDistance(set(1, Number.NaN), set(1, 2))).toThrow(/not finite/);
  });
});

describe('the kernel distance', () => {
  const cube = (x: readonly number[], y: readonly number[]) =>
    (x.reduce((sum, one, i) => sum + one * y[i]!, 0) / x.length + 1) ** 3;

  test('on whole sets is the unbiased estimate of plain loops', () => {
    fc.assert(
      fc.property(rowsOf(3, 4), rowsOf(3, 4), (a, b) => {
        const count = Math.min(a.length, b.length) / 3;
        const rows = (all: number[]) => Array.from({ length: count }, (_, i) => all.slice(3 * i, 3 * i + 3));
        const [x, y] = [rows(a), rows(b)];
        const mean = (p: number[][], q: number[][]) => {
          const terms = p.flatMap((one, i) => q.filter((_, j) => p !== q || i !== j).map((other) => cube(one, other)));
          return terms.reduce((sum, term) => sum + term, 0) / terms.length;
        };
        const expected = mean(x, x) + mean(y, y) - 2 * mean(x, y);
        const { value: actual, std } = kernelDistance(x.flat(), y.flat(), 3, { subsets: 1 });
        expect(Math.abs(actual - expected)).toBeLessThan(1e-8);
        expect(std).toBe(0);
      }),
    );
  });

  test('draws subsets by its seed, and says how far they differ', async () => {
    const [a, b] = [await new Generator(1).normal([60, 4]).data(), await new Generator(2).normal([80, 4]).data()];
    const run = (seed: number) => kernelDistance(a, b, 4, { subsets: 9, subsetSize: 20, seed });
    expect(run(1)).toEqual(run(1));
    expect(run(2).value).not.toBe(run(1).value);
    expect(run(1).standardError).toBeCloseTo(run(1).std / 3, 12);
  });

  test('refuses what has no pairs', () => {
    expect(() => kernelDistance([1, 2], [1, 2, 3, 4], 2)).toThrow(/at least 2 rows of 2 numbers/);
    expect(() => kernelDistance([1, 2, 3], [1, 2, 3, 4], 2)).toThrow(/got 3 and 4 numbers/);
    expect(() => kernelDistance([1, 2, 3, 4], [1, 2, 3, 4], 2, { subsets: 0 })).toThrow(/0 subsets/);
  });
});
