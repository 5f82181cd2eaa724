import type { ArrayDType, HostArray, TypedArray } from '@evenkeel/formats';
import fc from 'fast-check';

const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });

/** Any float16 value exactly, as float32: every bit pattern but NaN, whose sign and payload are not kept. */
const float16Value = fc
  .integer({ min: 0, max: 0xffff })
  .filter((bits) => (bits & 0x7c00) !== 0x7c00 || (bits & 0x3ff) === 0)
  .map((bits) => {
    const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    if (exponent === 31) return sign * Infinity;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
  });

type Maker = (length: number) => fc.Arbitrary<TypedArray>;

const exactly = (length: number) => ({ minLength: length, maxLength: length });

const makers: Record<ArrayDType, Maker> = {
  float64: (n) => fc.float64Array(exactly(n)),
  float32: (n) => fc.float32Array(exactly(n)),
  float16: (n) => fc.array(float16Value, exactly(n)).map((values) => Float32Array.from(values)),
  int64: (n) => fc.bigInt64Array(exactly(n)),
  int32: (n) => fc.int32Array(exactly(n)),
  int16: (n) => fc.int16Array(exactly(n)),
  int8: (n) => fc.int8Array(exactly(n)),
  uint64: (n) => fc.bigUint64Array(exactly(n)),
  uint32: (n) => fc.uint32Array(exactly(n)),
  uint16: (n) => fc.uint16Array(exactly(n)),
  uint8: (n) => fc.uint8Array(exactly(n)),
  bool: (n) => fc.array(fc.boolean(), exactly(n)).map((values) => Uint8Array.from(values, Number)),
};

/** Arrays of every dtype, of rank 0 to 4, zero-size axes included. */
export const hostArray: fc.Arbitrary<HostArray> = fc
  .tuple(fc.constantFrom(...(Object.keys(makers) as ArrayDType[])), shape)
  .chain(([dtype, sizes]) =>
    makers[dtype](sizes.reduce((a, b) => a * b, 1)).map((data) => ({ dtype, shape: sizes, data })),
  );

/** Arrays under different names, some of them awkward. */
export const namedArrays: fc.Arbitrary<[string, HostArray][]> = fc.uniqueArray(
  fc.tuple(
    fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.constantFrom('0', '__proto__', 'a.b')),
    hostArray,
  ),
  { selector: ([name]) => name, maxLength: 6 },
);
