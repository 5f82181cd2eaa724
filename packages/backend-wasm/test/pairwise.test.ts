import fc from 'fast-check';
import { expect, test } from 'vitest';
import { combinations, pairsOf, pairwise, type Row } from './pairwise.ts';

test('every possible pair occurs, and only what is possible', () => {
  const values = fc.uniqueArray(fc.nat(3), { minLength: 1 });
  fc.assert(
    fc.property(fc.record({ a: values, b: values, c: values, d: values }), fc.nat(6), (factors, sum) => {
      const isPossible = ({ a, b, c }: Row<typeof factors>): boolean => a + b !== sum && b * c !== sum;
      const possible = combinations(factors, isPossible);
      const rows = pairwise(factors, isPossible);
      expect(new Set(rows.flatMap(pairsOf))).toEqual(new Set(possible.flatMap(pairsOf)));
      expect(rows.every(isPossible)).toBe(true);
      expect(rows.length).toBeLessThanOrEqual(possible.length);
    }),
  );
});
