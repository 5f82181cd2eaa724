import { expect, test } from 'vitest';
import { AddressSpace } from '../src/address-space.ts';

test('gives out aligned parts that do not overlap, and takes them back', () => {
  const fresh = new AddressSpace(2 ** 20, () => true);
  const parts = [100, 1, 64, 1000].map((bytes) => ({ bytes, at: fresh.allocate(bytes) as number }));
  expect(parts.every(({ at }) => at % 64 === 0)).toBe(true);
  const sorted = [...parts].sort((a, b) => a.at - b.at);
  sorted.slice(1).forEach(({ at }, i) => {
    const before = sorted[i] as (typeof parts)[number];
    expect(at).toBeGreaterThanOrEqual(before.at + before.bytes);
  });
  for (const { at, bytes } of parts) fresh.free(at, bytes);
  expect(fresh.used).toBe(0);
  expect(fresh.allocate(2 ** 20 + 1)).toBeUndefined();
  expect(fresh.allocate(2 ** 19)).toBe(parts[0]?.at);
});
