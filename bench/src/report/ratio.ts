import type { Result } from '../results.ts';
import { isRate } from '../work/work.ts';

/** How many times as good the first is. */
export function ratioOf(a: Result, b: Result): number {
  return isRate(a.unit) ? a.median / b.median : b.median / a.median;
}

/** Three digits. */
export function show(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
