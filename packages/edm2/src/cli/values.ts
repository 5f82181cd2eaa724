import { InvalidArgumentError } from 'commander';

/** What a number on the command line may be; without limits, any finite number. */
export interface NumberRange {
  readonly least?: number;
  readonly most?: number;
  /** Excluded limits. */
  readonly above?: number;
  readonly below?: number;
  readonly whole?: boolean;
}

/** A parser of numbers in a range, for commander; `inf` is allowed where no upper limit is. */
export function numberIn(range: NumberRange = {}): (text: string) => number {
  return (text) => {
    const value = /^\+?inf(inity)?$/i.test(text.trim()) ? Number.POSITIVE_INFINITY : Number(text);
    if (text.trim() === '' || !isWithin(value, range)) throw new InvalidArgumentError(`Give ${describe(range)}.`);
    return value;
  };
}

/** A count of things that there is at least one of, and that fit into memory. */
export const wholeNumber = numberIn({ least: 1, most: 2 ** 24, whole: true });

/** A seed, as generators take it. */
export const seedNumber = numberIn({ least: 0, most: Number.MAX_SAFE_INTEGER, whole: true });

function isWithin(value: number, { least, most, above, below, whole }: NumberRange): boolean {
  if (Number.isNaN(value) || (whole && !Number.isSafeInteger(value))) return false;
  if (value === Number.NEGATIVE_INFINITY) return false;
  if (value === Number.POSITIVE_INFINITY && (most !== undefined || below !== undefined)) return false;
  return !(
    (least !== undefined && value < least) ||
    (most !== undefined && value > most) ||
    (above !== undefined && value <= above) ||
    (below !== undefined && value >= below)
  );
}

function describe({ least, most, above, below, whole }: NumberRange): string {
  const limits = [
    ...(least === undefined ? [] : [`at least ${least}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(most === undefined ? [] : [`at most ${most}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
  ];
  return [whole ? 'a whole number' : 'a number', limits.join(' and ')].filter((part) => part !== '').join(' ');
}

const binaryUnits: Readonly<Record<string, number>> = { '': 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };

/** A parser of numbers in a range, with commas between: `0.05,0.1`. */
export function listOf(range: NumberRange): (text: string) => number[] {
  const parse = numberIn(range);
  return (text) => text.split(',').map(parse);
}

/** A count with a binary suffix: `200`, `128Ki`, `8Mi`, `1.5Gi`. */
export function count(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*(Ki|Mi|Gi|)$/.exec(text.trim()) ?? [];
  const value = Number(digits) * (binaryUnits[unit ?? ''] as number);
  if (digits === undefined || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('Give a whole number, with Ki, Mi or Gi for binary thousands, such as 128Ki.');
  }
  return value;
}

/** Width and height, `512x512`. */
export function imageSize(text: string): readonly [width: number, height: number] {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(text.trim()) ?? [];
  const size = [Number(width), Number(height)] as const;
  if (size.every((side) => side >= 1 && side <= 65_536)) return size;
  throw new InvalidArgumentError('Give width and height, such as 64x64.');
}

/** Whole numbers and ranges, each once and in the order given: `1,2,5-10`. */
export function integerList(text: string): number[] {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [, first, last = first] = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === undefined || !Number.isSafeInteger(to) || to < from || to - from >= 2 ** 24) {
      throw new InvalidArgumentError('Give whole numbers and ranges with commas between, such as 1,2,5-10.');
    }
    for (let value = from; value <= to; value++) values.add(value);
  }
  return [...values];
}

/** `true` and `false` as published options take them, 1/0 and yes/no too. */
export function flag(text: string): boolean {
  if (/^(true|yes|1|on)$/i.test(text)) return true;
  if (/^(false|no|0|off)$/i.test(text)) return false;
  throw new InvalidArgumentError('Give true or false.');
}

const evenSteps = 1e-4;

/**
 * Numbers with commas between, sorted and each once; `a,b,...,c` goes on from `a` and `b` in even steps to `c`, which a
 * step has to meet within 0.0001.
 */
export function numberList(range: NumberRange = {}): (text: string) => number[] {
  const one = numberIn(range);
  return (text) => {
    const parts = text.split(',').map((part) => part.trim());
    const values: number[] = [];
    parts.forEach((part, i) => {
      if (part !== '...') values.push(one(part));
      else values.push(...between(values.slice(-2), one(parts[i + 1] ?? '')));
    });
    const sorted = values.sort((a, b) => a - b);
    return sorted.filter((value, i) => i === 0 || value - sorted[i - 1]! > evenSteps / 10);
  };
}

function between([first, second]: readonly number[], last: number): number[] {
  const step = (second ?? Number.NaN) - (first ?? Number.NaN);
  const count = Math.round((last - (second as number)) / step);
  if (!(step > 0) || !(count > 0) || Math.abs((second as number) + count * step - last) > evenSteps) {
    throw new InvalidArgumentError('Give even steps up to the last number, such as 0.01,0.02,...,0.05.');
  }
  return Array.from({ length: count - 1 }, (_, i) => Number(((second as number) + (i + 1) * step).toFixed(9)));
}
