import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  constantSchedule,
  cosineSchedule,
  inverseSquareRootDecay,
  linearWarmup,
  productSchedule,
} from '../src/schedules.ts';

describe('schedules', () => {
  it('constant is the same everywhere', () => {
    expect([0, 1, 1e9].map(constantSchedule(0.3))).toEqual([0.3, 0.3, 0.3]);
  });

  it('linear warmup rises in a line, then stays', () => {
    const rate = linearWarmup(100);
    expect([0, 25, 50, 100, 1000].map(rate)).toEqual([0, 0.25, 0.5, 1, 1]);
    expect([0, 5, 10].map(linearWarmup(10, { from: 2, to: 4 }))).toEqual([2, 3, 4]);
    expect(linearWarmup(0)(0)).toBe(1);
  });

  it('cosine falls along half a wave, then stays', () => {
    const rate = cosineSchedule(300, { from: 3, to: 1 });
    expect(rate(0)).toBeCloseTo(3, 12);
    expect(rate(100)).toBeCloseTo(1 + 2 * 0.75, 12);
    expect(rate(150)).toBeCloseTo(2, 12);
    expect(rate(200)).toBeCloseTo(1 + 2 * 0.25, 12);
    expect([300, 1e6].map(rate)).toEqual([1, 1]);
  });

  it('inverse square root decays after its plateau', () => {
    const rate = inverseSquareRootDecay(100);
    expect([0, 50, 100, 400, 10_000].map(rate)).toEqual([1, 1, 1, 0.5, 0.1]);
    expect([0, 1, 1e9].map(inverseSquareRootDecay(0))).toEqual([1, 1, 1]);
  });

  it('a product is the published EDM2 rate: 0 at the first image, its peak after the ramp, then falling', () => {
    const rate = productSchedule(constantSchedule(0.01), inverseSquareRootDecay(70_000 * 2048), linearWarmup(10e6));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (images) => {
        const expected = (0.01 / Math.sqrt(Math.max(images / (70_000 * 2048), 1))) * Math.min(images / 10e6, 1);
        expect(rate(images)).toBeCloseTo(expected, 15);
      }),
    );
    expect(rate(0)).toBe(0);
  });

  it('refuses lengths that mean nothing', () => {
    expect(() => linearWarmup(-1)).toThrow('linearWarmup: length must be at least 0, got -1');
    expect(() => cosineSchedule(0)).toThrow('cosineSchedule: length must be above 0, got 0');
    expect(() => inverseSquareRootDecay(Number.NaN)).toThrow('inverseSquareRootDecay: plateau');
  });
});
