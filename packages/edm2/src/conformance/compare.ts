import type { HostNumbers } from './reference-case.ts';

/** What is wrong with one tensor of a case. */
export interface Mismatch {
  /** `out/y`, `grad/x`; empty when the case as a whole could not run. */
  readonly tensor: string;
  /** Largest absolute deviation, where there is one. */
  readonly deviation?: number;
  readonly tolerance?: number;
  /** Why it was not compared. */
  readonly reason?: string;
}

/** Largest absolute difference; NaN where one of two is NaN. Equal infinities differ by 0. */
export function largestDeviation(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i]!, expected[i]!];
    const deviation = Object.is(a, b) ? 0 : Math.abs(a - b);
    if (!(deviation <= largest)) largest = deviation;
    if (Number.isNaN(largest)) return largest;
  }
  return largest;
}

export interface Comparison {
  readonly deviation: number;
  readonly mismatch?: Mismatch;
}

/** Compares one tensor with what it should be. */
export function compare(
  name: string,
  actual: HostNumbers | undefined,
  expected: HostNumbers,
  tolerance: number | undefined,
): Comparison {
  const fail = (reason: string): Comparison => ({ deviation: Number.NaN, mismatch: { tensor: name, reason } });
  if (actual === undefined) return fail('was not computed');
  const [got, wanted] = [actual.shape.join(', '), expected.shape.join(', ')];
  if (got !== wanted) return fail(`has shape [${got}], should have [${wanted}]`);
  if (tolerance === undefined) return fail('has no tolerance in the manifest');
  const deviation = largestDeviation(actual.data, expected.data);
  if (deviation <= tolerance) return { deviation };
  return { deviation, mismatch: { tensor: name, deviation, tolerance } };
}
