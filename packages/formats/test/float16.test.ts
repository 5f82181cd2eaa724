import { decodeBfloat16, decodeFloat16, encodeFloat16, float16Bits, float16Value } from '@evenkeel/formats';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const allBits = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

test('every bit pattern survives decoding and encoding, NaN as one pattern', () => {
  const back = encodeFloat16(decodeFloat16(allBits));
  const isNaNPattern = (bits: number) => (bits & 0x7fff) > 0x7c00;
  expect(back).toEqual(allBits.map((bits) => (isNaNPattern(bits) ? 0x7e00 : bits)));
});

test('rounds as PyTorch does: subnormals kept, ties to even, infinity from 65520 on', () => {
  // Pairs computed with torch.float16.
  const step = 2 ** -24;
  const pairs: [number, number][] = [
    [2.3100012e-10, 0],
    [-2.7610607e-9, -0],
    [-4.5123887e-8, -step],
    [-6.2343878e-7, -10 * step],
    [1.5865997e-5, 266 * step],
    [-6.7683777e-6, -114 * step],
    [-0.00070052076, -0.0007004737854003906],
    [0.011916587, 0.0119171142578125],
    [0.33333334, 0.333251953125],
    [-28.14952, -28.15625],
    [2774.3662, 2774],
    [-36728.023, -36736],
    [65504, 65504],
    [65519, 65504],
    [65520, Infinity],
    [step / 2, 0],
    [1.0001 * step, step],
    [2049, 2048],
    [2051, 2052],
    [-0, -0],
  ];
  for (const [value, rounded] of pairs) expect(float16Value(float16Bits(value))).toBe(rounded);
});

test('takes the nearest of the two neighbours, and the even one of a tie, for any float64', () => {
  const value = fc.oneof(
    fc.double({ noNaN: true }),
    fc.double({ noNaN: true, min: -70000, max: 70000 }),
    fc.double({ noNaN: true, min: -(2 ** -13), max: 2 ** -13 }),
    // Exact ties and their float64 neighbours.
    fc.tuple(fc.integer({ min: 0, max: 0x7bfe }), fc.constantFrom(-1, 0, 1)).map(([bits, nudge]) => {
      const tie = (float16Value(bits) + float16Value(bits + 1)) / 2;
      return tie * (1 + nudge * 2 ** -52);
    }),
  );
  fc.assert(
    fc.property(value, (x) => {
      const bits = float16Bits(x);
      const size = Math.abs(x);
      expect(bits >>> 15).toBe(Object.is(Math.sign(x), -0) || x < 0 ? 1 : 0);
      const magnitude = bits & 0x7fff;
      if (magnitude === 0x7c00) {
        expect(size).toBeGreaterThanOrEqual(65520);
        return;
      }
      const error = (candidate: number) => Math.abs(float16Value(candidate) - size);
      const above = magnitude === 0x7bff ? 65536 - size : error(magnitude + 1);
      const below = magnitude === 0 ? Infinity : error(magnitude - 1);
      const nearest = Math.min(above, below);
      expect(error(magnitude)).toBeLessThanOrEqual(nearest);
      if (error(magnitude) === nearest) expect(magnitude & 1).toBe(0);
    }),
    { numRuns: 2000 },
  );
});

test('bfloat16 is the upper half of a float32', () => {
  expect(decodeBfloat16(new Uint16Array([0x3f80, 0xc2f7, 0x0001, 0x7f80]))).toEqual(
    new Float32Array([1, -123.5, 2 ** -133, Infinity]),
  );
});
