import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyWriter } from '../src/graph/structure-key.ts';

type Written = readonly number[] | string | number;

function keyOf(parts: readonly Written[]): string {
  const key = new KeyWriter();
  for (const part of parts) {
    if (typeof part === 'string') key.text(part);
    else if (typeof part === 'number') key.real(part);
    else key.wholes(part);
  }
  return key.take();
}

describe('keys', () => {
  const edge = fc.constantFrom(0, 1, 2, 3, 4, 0xfffe, 0xffff, 0x10000, -1, 2 ** 40);
  const lists = fc.array(fc.oneof(edge, fc.nat()), { maxLength: 5 });
  // A pattern of kinds, as an op has it, and two fillings of it.
  const pairs = fc
    .array(fc.constantFrom('wholes', 'text', 'real'), { maxLength: 4 })
    .map((kinds) =>
      kinds.map((kind) => (kind === 'wholes' ? lists : kind === 'text' ? fc.string({ maxLength: 3 }) : fc.double())),
    )
    .chain((kinds) => fc.tuple(fc.tuple(...kinds), fc.tuple(...kinds)));

  test('are equal for equal writings only', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const same = a.every((part, i) =>
          Array.isArray(part) ? part.join() === (b[i] as number[]).join() : Object.is(part, b[i]),
        );
        expect(keyOf(a) === keyOf(b)).toBe(same);
        expect(keyOf(a)).toBe(keyOf(a));
      }),
      { numRuns: 500 },
    );
  });

  test('tell apart what is easily taken for equal', () => {
    const all: Written[][] = [[0], [-0], [Number.NaN], [[]], [[0]], [[0, 0]], [[1], []], [[], [1]], [[0xffff]], [[-1]]];
    expect(new Set(all.map(keyOf)).size).toBe(all.length);
  });

  test('are as long as what is written', () => {
    const long = Array.from({ length: 20_000 }, (_, i) => i % 7);
    expect(keyOf([long])).toHaveLength(20_001);
    expect(keyOf([long])).not.toBe(keyOf([long.with(19_999, 9)]));
  });
});
