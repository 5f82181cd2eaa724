import { type HostArray, readNpy, readNpz, writeNpy, writeNpz } from '@evenkeel/formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostArray, namedArrays } from './arbitrary-array.ts';

/** A npy file with exactly this header text. */
function npyOf(header: string, data: ArrayLike<number> = [], version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return Uint8Array.of(0x93, ...new TextEncoder().encode('NUMPY'), version, 0, ...length, ...text, ...Array.from(data));
}

const header = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

describe('npy', () => {
  test('gives back any array, bit for bit', () => {
    fc.assert(
      fc.property(hostArray, (array) => {
        expect(readNpy(writeNpy(array))).toEqual(array);
      }),
    );
  });

  test('writes what NumPy writes', () => {
    // np.save of np.arange(3, dtype='<i2')
    const text = "{'descr': '<i2', 'fortran_order': False, 'shape': (3,), }";
    const expected = npyOf(`${text.padEnd(117)}\n`, [0, 0, 1, 0, 2, 0]);
    expect(writeNpy({ dtype: 'int16', shape: [3], data: new Int16Array([0, 1, 2]) })).toEqual(expected);
    expect((expected.length - 6) % 64).toBe(0);
  });

  test.each([1, 2, 3])('reads version %i', (version) => {
    const expected = { dtype: 'uint8', shape: [2], data: new Uint8Array([5, 6]) };
    expect(readNpy(npyOf(header('|u1', '(2,)'), [5, 6], version))).toEqual(expected);
  });

  test('reads big-endian elements', () => {
    expect(readNpy(npyOf(header('>i4', '(1,)'), [1, 2, 3, 4])).data).toEqual(new Int32Array([0x01020304]));
    expect(readNpy(npyOf(header('>f2', '(1,)'), [0x3c, 0])).data).toEqual(new Float32Array([1]));
  });

  test('reads Fortran order as C order', () => {
    // np.arange(24).reshape(2, 3, 4) stored with its first axis fastest
    const stored = Array.from({ length: 24 }, (_, i) => (i % 2) * 12 + (Math.floor(i / 2) % 3) * 4 + Math.floor(i / 6));
    const read = readNpy(npyOf(header('|i1', '(2, 3, 4)', 'True'), stored));
    expect(read).toEqual({ dtype: 'int8', shape: [2, 3, 4], data: Int8Array.from({ length: 24 }, (_, i) => i) });
  });

  test('reads other spellings of the same dict', () => {
    const text = `{"shape":(1L,2),"fortran_order":False,"descr":"|b1"}`;
    expect(readNpy(npyOf(text, [1, 0]))).toEqual({ dtype: 'bool', shape: [1, 2], data: new Uint8Array([1, 0]) });
  });

  const good = npyOf(header('<f4', '(1,)'), [0, 0, 0, 0]);
  const bad: [string, Uint8Array, string][] = [
    ['no magic', new TextEncoder().encode('hello, world'), 'does not start with the npy magic'],
    ['version 4', npyOf('', [], 4), 'npy version 4.0 is not 1, 2 or 3'],
    ['header cut', good.subarray(0, 20), 'cut off inside the header'],
    ['huge header', npyOf('', [], 2).fill(0xff, 8, 12), 'header length 4294967295 is above the limit of 65536'],
    ['no dict', npyOf('[1]'), 'header is not a dict of descr, fortran_order and shape: "[1]"'],
    ['rest in dict', npyOf("{'descr': '<f4', 'fortran_order': False, 'shape': (), boo}"), 'header is not a dict of'],
    ['no tuple', npyOf(header('<f4', '(3)')), 'header is not a dict of'],
    [
      'objects',
      npyOf(header('|O', '(3,)')),
      "element type '|O' is not one of f8, f4, f2, i8, i4, i2, i1, u8, u4, u2, u1, b1",
    ],
    ['no byte order', npyOf(header('|f4', '(3,)')), "element type '|f4' does not say its byte order"],
    ['data cut', good.subarray(0, -1), 'shape [1] takes 4 bytes, the file holds 3'],
    ['data too long', Uint8Array.of(...good, 0), 'shape [1] takes 4 bytes, the file holds 5'],
    ['absurd shape', npyOf(header('<f4', '(9007199254740991, 9007199254740991)')), 'takes 3.2451855365842'],
  ];
  test.each(bad)('refuses: %s', (_, file, message) => {
    expect(() => readNpy(file, { file: 'a.npy' })).toThrow(/^readNpy a\.npy: [^\n]+$/);
    expect(() => readNpy(file)).toThrow(message);
  });
});

describe('npz', () => {
  test.each([false, true])('gives back any arrays, compress: %s', (compress) => {
    fc.assert(
      fc.property(namedArrays, (entries) => {
        expect(readNpz(writeNpz(entries, { compress }))).toEqual(new Map(entries));
      }),
      { numRuns: 50 },
    );
  });

  const zeros: HostArray = { dtype: 'float32', shape: [1000], data: new Float32Array(1000) };

  test('compresses on request', () => {
    expect(writeNpz([['a', zeros]]).length).toBeGreaterThan(4000);
    expect(writeNpz([['a', zeros]], { compress: true }).length).toBeLessThan(500);
  });

  test.each([false, true])('no flipped bit changes an array unnoticed, compress: %s', (compress) => {
    const file = writeNpz([['a', zeros]], { compress });
    const contentEnd = file.length - 22 - 46 - 'a.npy'.length;
    fc.assert(
      fc.property(fc.integer({ min: 35, max: contentEnd - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const damaged = file.slice();
        damaged[at]! ^= 1 << bit;
        try {
          // Some bits of deflated data change nothing: the last few, or the distance of a match among equal bytes.
          expect(readNpz(damaged, { file: 's.npz' })).toEqual(new Map([['a', zeros]]));
          expect(compress).toBe(true);
        } catch (error) {
          expect((error as Error).message).toBe('readNpz s.npz: "a.npy" is cut off or damaged');
        }
      }),
    );
  });

  test('reads zip64 sizes and offsets', () => {
    const [plain] = [writeNpz([['a', zeros]])];
    const end = plain.length - 22;
    const central = end - 46 - 5;
    const extra = new Uint8Array(28);
    const wide = new DataView(extra.buffer);
    wide.setUint16(0, 1, true);
    wide.setUint16(2, 24, true);
    const size = BigInt(new DataView(plain.buffer).getUint32(central + 24, true));
    wide.setBigUint64(4, size, true);
    wide.setBigUint64(12, size, true);
    const directory = Uint8Array.of(...plain.subarray(central, end), ...extra);
    const entry = new DataView(directory.buffer);
    for (const field of [20, 24, 42]) entry.setUint32(field, 0xffffffff, true);
    entry.setUint16(30, 28, true);
    const tail = new Uint8Array(56 + 20 + 22);
    const record = new DataView(tail.buffer);
    record.setUint32(0, 0x06064b50, true);
    record.setBigUint64(32, 1n, true);
    record.setBigUint64(48, BigInt(central), true);
    record.setUint32(56, 0x07064b50, true);
    record.setBigUint64(64, BigInt(central + directory.length), true);
    record.setUint32(76, 0x06054b50, true);
    for (const [field, width] of [
      [84, 2],
      [86, 2],
      [88, 4],
      [92, 4],
    ] as const)
      tail.fill(0xff, field, field + width);
    const file = Uint8Array.of(...plain.subarray(0, central), ...directory, ...tail);
    expect(readNpz(file)).toEqual(new Map([['a', zeros]]));
  });

  test('whatever bytes change, reading gives arrays or a one-line error', () => {
    const file = writeNpz(
      [
        ['a', zeros],
        ['b', { dtype: 'int8', shape: [], data: new Int8Array(1) }],
      ],
      { compress: true },
    );
    fc.assert(
      fc.property(
        fc.nat(file.length - 1),
        fc.integer({ min: 0, max: 255 }),
        fc.nat(file.length),
        (at, byte, length) => {
          const damaged = file.slice(0, length % 3 === 0 ? length : undefined);
          damaged[at] = byte;
          try {
            readNpz(damaged);
          } catch (error) {
            expect((error as Error).message).toMatch(/^read(Npz|Npy npz)[: ][^\n]{10,}$/);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('refuses equal names', () => {
    expect(() =>
      writeNpz([
        ['a', zeros],
        ['a', zeros],
      ]),
    ).toThrow('writeNpz: two arrays are named "a"');
  });
});
