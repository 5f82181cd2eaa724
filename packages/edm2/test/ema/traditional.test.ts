import { commit, State, tensor } from '@evenkeel/tensor';
import { guardLeaks } from '@evenkeel/tensor/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TraditionalEma } from '../../src/ema/index.ts';

guardLeaks({ beforeEach, afterEach });

test('after a half-life, half of the average is of before', () => {
  using value = new State(tensor([1]));
  const cells = new Map([['value', value]]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 20 }), (batch, steps) => {
      using ema = new TraditionalEma(cells, { halfLives: [batch * steps], rampup: undefined });
      let kept = 1;
      for (let step = 1; step <= steps; step++) kept *= ema.advance(step * batch)[0]!.keep;
      expect(kept).toBeCloseTo(0.5, 10);
    }),
  );
});

test('early on, half-lives are a share of the images seen', () => {
  using value = new State(tensor([1]));
  using ema = new TraditionalEma(new Map([['value', value]]), { halfLives: [1000, 1e6] });
  for (let images = 100; images <= 20_000; images += 100) {
    const shares = ema.advance(images);
    [1000, 1e6].forEach((halfLife, i) => {
      expect(shares[i]!.keep).toBeCloseTo(0.5 ** (100 / Math.min(halfLife, 0.09 * images)), 12);
    });
  }
});

test('blends as it says', async () => {
  using value = new State(tensor([0]));
  using ema = new TraditionalEma(new Map([['value', value]]), { halfLives: [8], rampup: undefined });
  for (let step = 1; step <= 2; step++) {
    value.assign(tensor([step]));
    ema.update(8 * step);
    await commit();
  }
  expect((await ema.snapshot(8)).get('value')!.data[0]).toBeCloseTo((0 * 0.5 + 1 * 0.5) * 0.5 + 2 * 0.5, 6);
});

test('refuses what is no half-life, and one given twice', () => {
  const make = (halfLives: number[], rampup = 0.09) => new TraditionalEma(new Map(), { halfLives, rampup });
  expect(() => make([0])).toThrow(/above 0, got 0/);
  expect(() => make([1], 0)).toThrow(/above 0/);
  expect(() => make([1, 1])).toThrow(/hold one twice/);
});
