import type { Sample } from './sample.ts';
import { studentQuantile } from './student-t.ts';

/** How a magnitude is decided on; the defaults are what the documentation's figures were measured with. */
export interface DecisionRule {
  /** Probability that one comparison of a layer within `allowance` of its expected value fails. */
  readonly alpha: number;
  /** Relative RMS error that must be caught. */
  readonly detect: number;
  /** Relative RMS error that is never held against a layer: rounding and known biases such as 0.596. */
  readonly allowance: number;
  /** Probability that an error of `detect` is caught. */
  readonly power: number;
}

/** Draws before the spread is judged. */
export const pilotDraws = 32;

/** The pilot may see too small a spread; asking for so much more makes it rare that a second look asks again. */
const pilotMargin = 1.15;

/** What a sample of mean squares says about an RMS. */
export interface Verdict {
  readonly passed: boolean;
  /** Measured RMS. */
  readonly rms: number;
  /** Ends of the interval that holds the true RMS with probability 1 - alpha. */
  readonly interval: readonly [low: number, high: number];
  /** Distance from the expected value in standard errors, and what it may be at most. */
  readonly t: number;
  readonly limit: number;
}

/**
 * Judges independent mean squares (one a draw) against an expected RMS.
 *
 * A mean of squares is close to a gamma variable, whose cube root is close to normal (Wilson and Hilferty), so the
 * statistic is `T = 3 ((m / expected^2)^(1/3) - 1) / (cv / sqrt(n))`, with m the mean, cv the coefficient of variation
 * and n the draws. Far out in the tails the plain t statistic is lopsided (it alarms 1.7 times as often above as below).
 *
 * @example
 * ```ts
 * const rule: DecisionRule = { alpha: 1e-6, detect: 0.02, allowance: 0.002, power: 0.999 };
 * const sample = new Sample();
 * const random = hostRandom(1);
 * for (let draw = 0; draw < 100; draw++) sample.add(0.98 + 0.04 * random()); // mean squares close to 1
 * judge(sample, 1, rule).passed; // true
 * judge(sample, 1.1, rule).passed; // false
 * ```
 */
export function judge(sample: Sample, expected: number, rule: DecisionRule): Verdict {
  const { count, mean } = sample;
  const limit = studentQuantile(rule.alpha / 2, count - 1);
  const rms = Math.sqrt(mean);
  if (!(mean > 0) || !Number.isFinite(mean) || !(expected > 0)) {
    const passed = mean === 0 && expected === 0;
    return { passed, rms, interval: [rms, rms], t: passed ? 0 : Number.POSITIVE_INFINITY, limit };
  }
  const error = sample.deviation / mean / Math.sqrt(count);
  const distance = 3 * (Math.cbrt(mean / expected ** 2) - 1);
  const allowed = 3 * ((1 + rule.allowance) ** (2 / 3) - 1);
  const excess = Math.max(0, Math.abs(distance) - allowed);
  const t = excess === 0 ? 0 : (Math.sign(distance) * excess) / error;
  const reach = Math.min(1, (limit * error) / 3);
  const interval = [rms / (1 + reach) ** 1.5, reach < 1 ? rms / (1 - reach) ** 1.5 : Number.POSITIVE_INFINITY] as const;
  return { passed: Math.abs(t) <= limit, rms, interval, t, limit };
}

/**
 * Draws after which an error of `rule.detect` is caught with probability `rule.power`, by the spread seen so far. More
 * than the sample holds: draw them and ask again, for the spread is known better then.
 *
 * @example
 * ```ts
 * const rule: DecisionRule = { alpha: 1e-6, detect: 0.02, allowance: 0.002, power: 0.999 };
 * const sample = new Sample();
 * for (const square of [0.9, 1.1, 1, 0.8, 1.2]) sample.add(square);
 * drawsNeeded(sample, rule); // 1652
 * ```
 */
export function drawsNeeded(sample: Sample, rule: DecisionRule): number {
  if (!(sample.mean > 0)) return sample.count;
  const margin = sample.count < 2 * pilotDraws ? pilotMargin : 1;
  const variation = (sample.deviation / sample.mean) * margin;
  const room = 3 * (((1 + rule.detect) / (1 + rule.allowance)) ** (2 / 3) - 1);
  let draws = pilotDraws;
  // The quantiles depend on the count they give; a few rounds settle it.
  for (let round = 0; round < 4; round++) {
    const reach = studentQuantile(rule.alpha / 2, draws - 1) + studentQuantile(1 - rule.power, draws - 1);
    draws = Math.max(pilotDraws, Math.ceil(((variation * reach) / room) ** 2));
  }
  return draws;
}
