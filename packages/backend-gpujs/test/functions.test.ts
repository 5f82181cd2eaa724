import { describe, expect, test } from 'vitest';
import { type FunctionName, helperFunction } from '../src/source/functions.ts';

/** A helper in JavaScript's own doubles: what is left of its error is that of its mathematics. */
function helper(name: FunctionName): (...x: number[]) => number {
  return new Function(`return ${helperFunction(name).source}`)() as (...x: number[]) => number;
}

/** Sizes from 2^-40 to 2^128, both signs. */
const samples = Array.from({ length: 450 }, (_, i) => 1.37 * 2 ** (-40 + 0.37 * i)).flatMap((size) => [
  Math.fround(size),
  -Math.fround(size),
]);
samples.push(3.4028234663852886e38, -3.4028234663852886e38);

describe('helpers are right to half a unit in the last place of float32', () => {
  test.each([
    ['sineOf', Math.sin],
    ['cosineOf', Math.cos],
    ['logarithm', Math.log],
    ['exponential', Math.exp],
    ['hyperbolicTangent', Math.tanh],
    ['sigmoid', (x: number) => 1 / (1 + Math.exp(-x))],
  ] as const)('%s', (name, wanted) => {
    const got = helper(name);
    for (const x of samples.filter(Number.isFinite)) {
      const want = wanted(x);
      if (!Number.isFinite(want) || Math.abs(want) < 1e-37 || Math.abs(want) > 3e38) continue;
      expect(Math.abs(got(x) - want) / Math.abs(want), `${x}`).toBeLessThan(2 ** -24);
    }
  });
});

test('divisions of whole numbers round down', () => {
  const quotient = helper('floorQuotient');
  for (const d of [1, 2, 3, 7, 255, 4097, 2 ** 23 + 1]) {
    for (const t of [-(2 ** 24), -d, -1, 0, 1, d - 1, d, d + 1, 5 * d - 1, 5_592_407, 2 ** 24 - 1]) {
      expect(quotient(t, d), `${t} / ${d}`).toBe(Math.floor(t / d));
    }
  }
});
