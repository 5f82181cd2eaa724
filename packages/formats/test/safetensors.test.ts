import { type HostArray, readSafetensors, writeSafetensors } from '@evenkeel/formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { namedArrays } from './arbitrary-array.ts';

/** A file with exactly this header text (a string or bytes) and this many zero bytes of data. */
function fileOf(header: string | Uint8Array, dataLength = 0): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + text.length + dataLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

const f32 = (begin: number, end: number, shape = `[${(end - begin) / 4}]`) =>
  `{"dtype":"F32","shape":${shape},"data_offsets":[${begin},${end}]}`;

describe('writing, then reading', () => {
  test('gives back any tensors and metadata, bit for bit and in order', () => {
    fc.assert(
      fc.property(namedArrays, fc.dictionary(fc.string(), fc.string()), (entries, metadata) => {
        const strings = new Map(Object.entries(metadata));
        const read = readSafetensors(writeSafetensors(entries, strings));
        expect(new Map(read.tensors)).toEqual(new Map(entries));
        expect(read.metadata).toEqual(strings);
      }),
    );
  });

  test('starts the data at a multiple of 8, and each tensor at a multiple of its element size', () => {
    fc.assert(
      fc.property(namedArrays, (entries) => {
        const file = writeSafetensors(entries);
        const headerLength = Number(new DataView(file.buffer).getBigUint64(0, true));
        expect(headerLength % 8).toBe(0);
        const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerLength)));
        for (const [name, { dtype }] of entries) {
          const bytes = { 64: 8, 32: 4, 16: 2 }[dtype.slice(-2)] ?? 1;
          expect(header[name].data_offsets[0] % bytes).toBe(0);
        }
      }),
    );
  });

  test('gives the bytes of the format', () => {
    const file = writeSafetensors([['a', { dtype: 'int16', shape: [2], data: new Int16Array([1, -2]) }]], { by: 'me' });
    const header = '{"__metadata__":{"by":"me"},"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}';
    const padded = header.padEnd(88);
    expect(file).toEqual(Uint8Array.of(88, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode(padded), 1, 0, 0xfe, 0xff));
  });

  test('copies, also from a Node Buffer at an odd offset', () => {
    const entries: [string, HostArray][] = [['x', { dtype: 'float64', shape: [2], data: new Float64Array([1, 2]) }]];
    const file = Buffer.concat([Buffer.from('!'), writeSafetensors(entries)]).subarray(1);
    const { tensors } = readSafetensors(file);
    file.fill(0xff);
    expect(tensors.get('x')?.data).toEqual(new Float64Array([1, 2]));
  });
});

describe('dtypes', () => {
  const half = writeSafetensors([['h', { dtype: 'float16', shape: [2], data: new Float64Array([1, 1 / 3]) }]]);

  test('float16 is decoded, or kept as bits that can be written again', () => {
    expect(readSafetensors(half).tensors.get('h')?.data).toEqual(new Float32Array([1, 0.333251953125]));
    const raw = readSafetensors(half, { float16: 'raw' }).tensors;
    expect(raw.get('h')).toEqual({ dtype: 'float16', shape: [2], data: new Uint16Array([0x3c00, 0x3555]) });
    expect(writeSafetensors(raw)).toEqual(half);
  });

  test('bfloat16 is read as float32', () => {
    const file = fileOf('{"b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}', 4);
    file.set([0x80, 0x3f, 0xf7, 0xc2], file.length - 4);
    const expected = { dtype: 'float32', shape: [2], data: new Float32Array([1, -123.5]) };
    expect(readSafetensors(file).tensors.get('b')).toEqual(expected);
  });

  test('int64 narrows to int32 on request, if it fits', () => {
    const write = (value: bigint) =>
      writeSafetensors([['n', { dtype: 'int64', shape: [], data: new BigInt64Array([value]) }]]);
    const read = (value: bigint) => readSafetensors(write(value), { file: 'f', int64: 'int32' }).tensors.get('n');
    expect(read(-(2n ** 31n))).toEqual({ dtype: 'int32', shape: [], data: new Int32Array([-(2 ** 31)]) });
    expect(() => read(2n ** 31n)).toThrow(
      `readSafetensors f: tensor "n": int64 value 2147483648 does not fit int32. Read it with int64: 'bigint'`,
    );
  });
});

describe('a malformed file gives one line that says what and where', () => {
  const cut = writeSafetensors([['w', { dtype: 'float32', shape: [3], data: new Float32Array(3) }]]);
  const huge = new Uint8Array(16).fill(0xff);
  const cases: [name: string, file: Uint8Array, message: string][] = [
    ['empty', new Uint8Array(0), '0 bytes, too short for a header length. Is it a safetensors file?'],
    [
      'absurd length',
      huge,
      'header length 18446744073709551615 is above the limit of 100000000. Is it a safetensors file?',
    ],
    [
      'header past the end',
      fileOf('{}').subarray(0, 9),
      'header length 2, but only 1 bytes follow it. Is the file cut off?',
    ],
    ['empty header', fileOf(''), "header does not start with '{'. Is it a safetensors file?"],
    ['a list', fileOf('[]'), "header does not start with '{'. Is it a safetensors file?"],
    ['not JSON', fileOf('{"a":'), 'header is not JSON'],
    ['not UTF-8', fileOf(new Uint8Array([0x7b, 0xff, 0x7d])), 'header is not UTF-8'],
    ['same name twice', fileOf(`{"a":${f32(0, 4)},"\\u0061":${f32(4, 8)}}`, 8), 'header holds "a" twice'],
    [
      'same field twice',
      fileOf('{"a":{"dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0]}}'),
      'header holds "dtype" twice',
    ],
    ['metadata no object', fileOf('{"__metadata__":[]}'), '__metadata__ is not an object of strings'],
    ['metadata no string', fileOf('{"__metadata__":{"n":1}}'), '__metadata__ "n" is not a string'],
    ['entry no object', fileOf('{"a":7}'), 'tensor "a": its header entry is not an object'],
    [
      'float8',
      fileOf('{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}', 1),
      'tensor "a": dtype "F8_E4M3" is not one of F64, F32, F16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL, BF16',
    ],
    ['shape no list', fileOf(`{"a":${f32(0, 4, '1')}}`, 4), 'tensor "a": shape 1 is not a list of sizes'],
    ['negative size', fileOf(`{"a":${f32(0, 4, '[-1]')}}`, 4), 'tensor "a": shape [-1] is not a list of sizes'],
    ['fractional size', fileOf(`{"a":${f32(0, 4, '[0.5]')}}`, 4), 'tensor "a": shape [0.5] is not a list of sizes'],
    [
      'three offsets',
      fileOf('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}}'),
      'tensor "a": data_offsets [0,0,0] are not two offsets',
    ],
    [
      'no offsets',
      fileOf('{"a":{"dtype":"U8","shape":[0]}}'),
      'tensor "a": data_offsets undefined are not two offsets',
    ],
    [
      'shape against offsets',
      fileOf(`{"a":${f32(0, 8, '[3]')}}`, 8),
      'tensor "a": F32 of shape [3] takes 12 bytes, data_offsets [0,8] hold 8',
    ],
    [
      'a shape whose product overflows',
      fileOf(`{"a":${f32(0, 0, '[4294967296,4294967296,4294967296]')}}`),
      'tensor "a": F32 of shape [4294967296,4294967296,4294967296] takes 3.1691265005705735e+29 bytes, data_offsets [0,0] hold 0',
    ],
    [
      'reversed offsets',
      fileOf(`{"a":${f32(4, 0, '[1]')}}`, 4),
      'tensor "a": F32 of shape [1] takes 4 bytes, data_offsets [4,0] hold -4',
    ],
    ['overlap', fileOf(`{"b":${f32(4, 12)},"a":${f32(0, 8)}}`, 12), 'tensor "b": overlaps tensor "a" by 4 bytes'],
    [
      'a hole',
      fileOf(`{"a":${f32(0, 4)},"b":${f32(8, 12)}}`, 12),
      'tensor "b": starts 4 bytes after the end of tensor "a"',
    ],
    ['a hole at the start', fileOf(`{"a":${f32(4, 8)}}`, 8), 'tensor "a": starts 4 bytes after the end of the header'],
    ['trailing bytes', fileOf(`{"a":${f32(0, 4)}}`, 5), '1 bytes after the end of tensor "a" belong to no tensor'],
    ['bytes without tensors', fileOf('{}', 1), '1 bytes after the end of the header belong to no tensor'],
    [
      'cut off',
      cut.subarray(0, cut.length - 1),
      `tensor "w": ends at byte ${cut.length} of a file of ${cut.length - 1}. Is the file cut off?`,
    ],
  ];

  test.each(cases)('%s', (_, file, message) => {
    expect(() => readSafetensors(file, { file: 'net.safetensors' })).toThrow(
      new Error(`readSafetensors net.safetensors: ${message}`),
    );
  });

  test('a bool of 2', () => {
    const file = fileOf('{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}', 1);
    file[file.length - 1] = 2;
    expect(() => readSafetensors(file)).toThrow('readSafetensors: tensor "a": a bool is neither 0 nor 1');
  });

  test('whatever bytes of a header change, reading gives tensors or such an error', () => {
    const mutation = fc.record({
      at: fc.nat(),
      byte: fc.integer({ min: 0, max: 255 }),
      kind: fc.constantFrom('set', 'cut', 'insert'),
    });
    let refused = 0;
    fc.assert(
      fc.property(namedArrays, fc.array(mutation, { minLength: 1, maxLength: 3 }), (entries, mutations) => {
        let file = Array.from(writeSafetensors(entries));
        const headerLength = file[0]! + 256 * file[1]!;
        for (const { at, byte, kind } of mutations) {
          const position = at % (8 + headerLength);
          if (kind === 'set') file[position] = byte;
          else if (kind === 'insert') file.splice(position, 0, byte);
          else file = file.slice(0, position);
        }
        try {
          readSafetensors(Uint8Array.from(file), { file: 'x' });
        } catch (error) {
          refused++;
          expect(error).toBeInstanceOf(Error);
          expect((error as Error).message).toMatch(/^readSafetensors x: [^\n]{10,}$/);
        }
      }),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(250);
  });
});

describe('what cannot be written is refused', () => {
  const array: HostArray = { dtype: 'float32', shape: [1], data: new Float32Array(1) };
  const cases: [entries: [string, HostArray][], message: string][] = [
    [
      [
        ['a', array],
        ['a', array],
      ],
      'writeSafetensors: two tensors are named "a"',
    ],
    [[['__metadata__', array]], 'writeSafetensors: a tensor cannot be named "__metadata__"'],
    [[['a', { ...array, shape: [2] }]], 'writeSafetensors: tensor "a": shape [2] needs 2 elements, data has 1'],
    [[['a', { ...array, shape: [-1] }]], 'writeSafetensors: tensor "a": shape [-1] holds -1, not a size'],
    [
      [['a', { ...array, dtype: 'int32' }]],
      'writeSafetensors: tensor "a": dtype int32 is held in Int32Array, got Float32Array',
    ],
  ];
  test.each(cases)('%#', (entries, message) => {
    expect(() => writeSafetensors(entries)).toThrow(message);
  });
});
