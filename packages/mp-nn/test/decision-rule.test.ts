import { type DecisionRule, judge, Sample, simulateRule } from '@evenkeel/mp-nn/testing';
import { describe, expect, test } from 'vitest';

// Ten comparisons share 1e-6: a usual check.
const rule: DecisionRule = { alpha: 1e-7, detect: 0.02, allowance: 0.002, power: 0.999 };
const degrees = 300;

function sampleOf(values: readonly number[]): Sample {
  const sample = new Sample();
  for (const value of values) sample.add(value);
  return sample;
}

describe('false alarms', () => {
  test.each([1, -1])('come as rarely as promised on side %d, without any allowance', (side) => {
    const { rate, error } = simulateRule({
      rule: { ...rule, allowance: 0 },
      ratio: 1,
      tilt: 1 + side * 0.0125,
      degrees,
      trials: 1500,
      seed: 11,
    });
    expect(error).toBeLessThan(0.3 * rate);
    expect(rate).toBeGreaterThan(0.5 * 0.5 * rule.alpha);
    expect(rate).toBeLessThan(2 * 0.5 * rule.alpha);
  });

  test('come less often than promised at the end of the allowance', () => {
    const { rate } = simulateRule({ rule, ratio: 1.002, tilt: 1.014, degrees, trials: 1500, seed: 12 });
    expect(rate).toBeLessThan(rule.alpha);
  });
});

test.each([1.02, 0.98])('an RMS of %d is caught', (ratio) => {
  const { rate } = simulateRule({ rule, ratio, degrees, trials: 1000, seed: 13 });
  expect(rate).toBeGreaterThan(0.99);
});

describe('a verdict', () => {
  const around = (mean: number) => Array.from({ length: 32 }, (_, i) => mean * (1 + (i % 2 === 0 ? 0.01 : -0.01)));

  test('names the RMS and an interval that holds it', () => {
    const verdict = judge(sampleOf(around(4)), 2, rule);
    expect(verdict.passed).toBe(true);
    expect(verdict.rms).toBeCloseTo(2, 10);
    expect(verdict.interval[0]).toBeLessThan(2);
    expect(verdict.interval[1]).toBeGreaterThan(2);
  });

  test('fails on NaN, on nothing where something should be, and on something where nothing should be', () => {
    expect(judge(sampleOf(new Array(32).fill(Number.NaN)), 1, rule).passed).toBe(false);
    expect(judge(sampleOf(new Array(32).fill(0)), 1, rule).passed).toBe(false);
    expect(judge(sampleOf(around(1)), 0, rule).passed).toBe(false);
    expect(judge(sampleOf(new Array(32).fill(0)), 0, rule).passed).toBe(true);
  });
});

test('a sample keeps count, mean and deviation', () => {
  const sample = sampleOf([1, 2, 3, 4]);
  expect(sample.count).toBe(4);
  expect(sample.mean).toBeCloseTo(2.5);
  expect(sample.deviation).toBeCloseTo(Math.sqrt(5 / 3));
});
