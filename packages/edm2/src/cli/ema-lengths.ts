import { InvalidArgumentError } from 'commander';
import { largestStd } from '../ema/profile.ts';
import { numberIn } from './values.ts';

/** The length of an average: a relative standard deviation, below that of the plain mean of all training. */
export const emaLength = numberIn({ above: 0, below: Number(largestStd.toFixed(6)) });

/** By how much the last number may miss a step. */
const tolerance = 1e-4;

/**
 * Lengths with commas between, sorted and each once; `a,b,...,c` goes on from `a` and `b` in even steps to `c`, which a step
 * has to meet within 0.0001.
 */
export function emaLengths(text: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  const values: number[] = [];
  parts.forEach((part, i) => {
    if (part !== '...') values.push(emaLength(part));
    else values.push(...between(values.slice(-2), emaLength(parts[i + 1] ?? '')));
  });
  const sorted = values.sort((a, b) => a - b);
  return sorted.filter((value, i) => i === 0 || value - sorted[i - 1]! > tolerance / 10);
}

function between([first, second]: readonly number[], last: number): number[] {
  const step = (second ?? Number.NaN) - (first ?? Number.NaN);
  const count = Math.round((last - (second as number)) / step);
  if (!(step > 0) || !(count > 0) || Math.abs((second as number) + count * step - last) > tolerance) {
    throw new InvalidArgumentError('Give even steps up to the last number, such as 0.01,0.02,...,0.05.');
  }
  return Array.from({ length: count - 1 }, (_, i) => Number(((second as number) + (i + 1) * step).toFixed(9)));
}
