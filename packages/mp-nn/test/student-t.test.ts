import { studentQuantile, studentTail } from '@evenkeel/mp-nn/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test.each([
  // Tables: one degree is a Cauchy variable, two have a closed form, many are a normal one.
  [1, 0.25, 1],
  [1, 1e-6, 1 / Math.tan(Math.PI * 1e-6)],
  [2, 0.025, 4.302652729911275],
  [30, 0.025, 2.0422724563012373],
  [1e7, 0.025, 1.959964],
  [1e7, 5e-7, 4.891638],
])('with %d degrees the upper %d quantile is %d', (degrees, tail, quantile) => {
  expect(studentQuantile(tail, degrees) / quantile).toBeCloseTo(1, 5);
});

test('quantile and tail undo each other, far out too', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 60 }), (degrees, halvings) => {
      const tail = 0.5 ** halvings;
      expect(studentTail(studentQuantile(tail, degrees), degrees) / tail).toBeCloseTo(1, 6);
    }),
  );
});

test('a tail outside (0, 0.5] is refused', () => {
  expect(() => studentQuantile(0.7, 10)).toThrow('studentQuantile: tail must lie in (0, 0.5], got 0.7');
});
