import { Generator, grad, setDevelopmentMode, tensor } from '@evenkeel/tensor';
import { guardLeaks } from '@evenkeel/tensor/testing';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fractalTree } from '../../src/toy/fractal-tree.ts';
import { type GaussianComponent, GaussianMixture } from '../../src/toy/gaussian-mixture.ts';

guardLeaks({ beforeEach, afterEach });
// Mixtures of other sizes make other plans: no recompile storm.
beforeAll(() => setDevelopmentMode(false));
afterAll(() => setDevelopmentMode(true));

const real = (min: number, max: number) => fc.double({ min, max, noNaN: true });
/** Covariances by standard deviations and correlation, so that each is positive definite. */
const component = fc
  .record({
    weight: real(0.1, 2),
    x: real(-1, 1),
    y: real(-1, 1),
    sx: real(0.1, 1),
    sy: real(0.1, 1),
    r: real(-0.9, 0.9),
  })
  .map(
    ({ weight, x, y, sx, sy, r }): GaussianComponent => ({
      weight,
      mean: [x, y],
      covariance: [sx * sx, r * sx * sy, sy * sy],
    }),
  );

/** The density by the textbook's formula: covariance plus noise, inverted. */
function density(components: readonly GaussianComponent[], x: number, y: number, sigma: number): number {
  const total = components.reduce((sum, { weight }) => sum + weight, 0);
  return components.reduce((sum, { weight, mean, covariance }) => {
    const [xx, xy, yy] = [covariance[0] + sigma ** 2, covariance[1], covariance[2] + sigma ** 2];
    const determinant = xx * yy - xy * xy;
    const [dx, dy] = [x - mean[0], y - mean[1]];
    const distance = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / determinant;
    return sum + ((weight / total) * Math.exp(-distance / 2)) / (2 * Math.PI * Math.sqrt(determinant));
  }, 0);
}

describe('mixture', () => {
  test('has the density of the formula, and its gradient as score', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(component, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(real(-1.5, 1.5), real(-1.5, 1.5), real(0, 1)), { minLength: 1, maxLength: 3 }),
        async (components, points) => {
          const mixture = new GaussianMixture(components);
          const x = tensor(
            points.map(([px, py]) => [px, py]),
            { dtype: 'float64' },
          );
          const sigma = tensor(
            points.map(([, , level]) => level),
            { dtype: 'float64' },
          );
          const logDensity = mixture.logDensity(x, sigma);
          const values = await logDensity.data();
          points.forEach(([px, py, level], i) => {
            expect(values[i]).toBeCloseTo(Math.log(density(components, px, py, level)), 8);
          });
          const [score, slope] = [mixture.score(x, sigma), grad(logDensity.sum(), x)];
          const difference = await score.sub(slope).abs().max().item();
          expect(difference).toBeLessThan(1e-9 * (1 + (await slope.abs().max().item())));
        },
      ),
      { numRuns: 25 },
    );
  });

  test('draws points of its moments', async () => {
    const components: GaussianComponent[] = [
      { weight: 3, mean: [1, -1], covariance: [0.2, 0.1, 0.1] },
      { weight: 1, mean: [-1, 2], covariance: [0.1, -0.05, 0.3] },
    ];
    const count = 40_000;
    const points = new GaussianMixture(components).sample(count, new Generator(7));
    const mean = [0.5, -0.25];
    const covariance = [0.175 + 0.75, 0.0625 - 1.125, 0.15 + 1.6875];
    const centred = points.sub(tensor(mean));
    const [xx, xy, , yy] = await centred.transpose().matmul(centred).div(count).data();
    const [x, y] = await centred.mean(0).data();
    // Standard errors of means are below 1.4 / 200, of second moments below 4 / 200 (fourth moments are below 16).
    for (const error of [x!, y!]) expect(Math.abs(error)).toBeLessThan((6 * 1.4) / 200);
    [xx, xy, yy].forEach((value, i) => {
      expect(Math.abs(value! - covariance[i]!)).toBeLessThan((6 * 4) / 200);
    });
  });

  test('refuses what is no mixture, and points that are not in the plane', () => {
    expect(() => new GaussianMixture([])).toThrow(/no components/);
    const flat: GaussianComponent = { weight: 1, mean: [0, 0], covariance: [1, 1, 1] };
    expect(() => new GaussianMixture([flat])).toThrow(/component 0 .* not positive definite/);
    expect(() => new GaussianMixture([{ ...flat, weight: 0, covariance: [1, 0, 1] }])).toThrow(/weight 0/);
    const unit = new GaussianMixture([{ ...flat, covariance: [1, 0, 1] }]);
    expect(() => unit.score(tensor([1, 2]))).toThrow(/must be \[N, 2\]/);
  });
});

describe('fractal tree', () => {
  test('both classes lie about the origin with standard deviation 0.5, and share nothing', async () => {
    const both = fractalTree('AB');
    expect([fractalTree('A').count, fractalTree('B').count, both.count]).toEqual([1016, 1016, 2032]);
    expect(both.components.slice(0, 1016)).toEqual(fractalTree('A').components);
    const total = both.components.reduce((sum, { weight }) => sum + weight, 0);
    const moment = (of: (component: GaussianComponent) => number) =>
      both.components.reduce((sum, component) => sum + (component.weight / total) * of(component), 0);
    expect(Math.abs(moment(({ mean }) => mean[0]))).toBeLessThan(0.05);
    expect(Math.abs(moment(({ mean }) => mean[1]))).toBeLessThan(0.05);
    for (const axis of [0, 1] as const) {
      const variance = moment(({ mean, covariance }) => mean[axis] ** 2 + covariance[(2 * axis) as 0 | 2]);
      expect(Math.abs(Math.sqrt(variance) - 0.5)).toBeLessThan(0.05);
    }
  });
});
