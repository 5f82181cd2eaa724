import { InvalidArgumentError } from 'commander';

/** What a number on the command line may be; without limits, any finite number; `inf` only where that is the most. */
export interface NumberRange {
  readonly least?: number;
  readonly most?: number;
  /** Excluded limits. */
  readonly above?: number;
  readonly below?: number;
  readonly whole?: boolean;
}

/** A parser of numbers in a range, for commander. */
export function numberIn(range: NumberRange = {}): (text: string) => number {
  return (text) => {
    const value = /^\+?inf(inity)?$/i.test(text.trim()) ? Number.POSITIVE_INFINITY : Number(text);
    if (text.trim() === '' || !isWithin(value, range)) throw new InvalidArgumentError(`Give ${describe(range)}.`);
    return value;
  };
}

/** How many things there are, of which there is at least one, and which fit into memory. */
export const wholeNumber = numberIn({ least: 1, most: 2 ** 24, whole: true });

/** A seed, as generators take it. */
export const seedNumber = numberIn({ least: 0, most: Number.MAX_SAFE_INTEGER, whole: true });

function isWithin(value: number, { least, most, above, below, whole }: NumberRange): boolean {
  if (Number.isNaN(value) || (whole && !Number.isSafeInteger(value))) return false;
  if (!Number.isFinite(value) && value !== most) return false;
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
    ...(most === undefined || most === Number.POSITIVE_INFINITY ? [] : [`at most ${most}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
  ];
  return [whole ? 'a whole number' : 'a number', limits.join(' and ')].filter((part) => part !== '').join(' ');
}

const binaryUnits: Readonly<Record<string, number>> = { '': 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };

/** A parser of numbers in a range, with commas between, in their order: `1,2,2`. */
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

/** A parser of counts that are not below `least`. */
export function countFrom(least: number): (text: string) => number {
  return (text) => {
    const value = count(text);
    if (value < least) throw new InvalidArgumentError(`Give at least ${least}.`);
    return value;
  };
}

/** A parser of names of files that end in one of `endings`, such as `.png`. */
export function fileEndingIn(...endings: readonly string[]): (text: string) => string {
  return (text) => {
    if (endings.some((ending) => text.toLowerCase().endsWith(ending))) return text;
    throw new InvalidArgumentError(`Give a name that ends in ${endings.join(' or ')}.`);
  };
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
