// First: readers are counted from their first line on.
import './counted-memory.ts';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../src/crc32.ts';
import {
  decodePng,
  encodePng,
  readNpy,
  readNpz,
  readPickle,
  readSafetensors,
  readTorch,
  TorchTensor,
  torchConstructors,
  writeNpy,
  writeNpz,
  writeSafetensors,
} from '../src/index.ts';
import { listZip, readZipEntry } from '../src/zip.ts';
import { countMemory } from './counted-memory.ts';
import { blob, call, dict, legacyFile, list, pickle, storageReference, tensorOf, text } from './pickle-bytes.ts';

const file = 'fuzzed.bin';
/** Tables that readers make once, and what small files cost. */
const fixed = 2 ** 20;

interface Reader {
  readonly name: string;
  readonly read: (bytes: Uint8Array) => unknown;
  /** Whole files of the format. */
  readonly samples: readonly Uint8Array[];
  /** Bytes that a byte of the file may cost. */
  readonly expansion: number;
}

const floats = { dtype: 'float32', shape: [2, 3], data: new Float32Array(6).fill(1.5) } as const;
const halves = { dtype: 'float16', shape: [40], data: new Float32Array(40).fill(0.25) } as const;
const longs = { dtype: 'int64', shape: [2, 1, 2], data: new BigInt64Array(4).fill(-7n) } as const;
const storage = { type: 'FloatStorage', key: '0', count: 6, bytes: new Uint8Array(24) };
const tensor = tensorOf(storageReference(storage), { shape: [2, 3], strides: [1, 2] });
const legacy = legacyFile([dict(text('weight'), tensor)], [storage]);
const inner = legacyFile([storageReference(storage)], [storage]);
const pixels = Uint8Array.from({ length: 7 * 5 * 3 }, (_, i) => i);
const npz = (compress: boolean) =>
  writeNpz(
    [
      ['a', floats],
      ['b', halves],
    ],
    { compress },
  );

/** A copy, a decoded copy and one more on the way. */
const copies = 8;
/** As far as deflate goes. */
const inflated = 1032 * copies;

const readers: readonly Reader[] = [
  {
    name: 'safetensors',
    read: (bytes) => readSafetensors(bytes, { file }),
    samples: [
      writeSafetensors(
        [
          ['a', floats],
          ['b.c', halves],
          ['n', longs],
        ],
        { note: 'x' },
      ),
      writeSafetensors([]),
    ],
    expansion: copies,
  },
  {
    name: 'npy',
    read: (bytes) => readNpy(bytes, { file }),
    samples: [writeNpy(floats), writeNpy(halves), writeNpy(longs)],
    expansion: copies,
  },
  { name: 'npz', read: (bytes) => readNpz(bytes, { file }), samples: [npz(false), npz(true)], expansion: inflated },
  {
    name: 'zip',
    read: (bytes) => listZip(bytes, file).map((entry) => readZipEntry(bytes, entry, file)),
    samples: [npz(false), npz(true)],
    expansion: inflated,
  },
  {
    name: 'png',
    read: (bytes) => decodePng(bytes, { file }),
    samples: [
      encodePng({ width: 7, height: 5, channels: 3, data: pixels }),
      encodePng({ width: 5, height: 7, channels: 1, data: pixels.subarray(0, 35) }),
    ],
    expansion: inflated,
  },
  {
    name: 'pickle',
    read: (bytes) => tensorsOf(readPickle(bytes, { file, construct: torchConstructors() })),
    samples: [
      pickle(
        dict(
          text('a'),
          list('K\x01', 'N'),
          text('b'),
          tensorOf(call('torch.storage', '_load_from_bytes', blob(inner)), { shape: [6], strides: [1] }),
        ),
      ),
      pickle(']q\x00(h\x00h\x00e}q\x01(K\x05h\x00u2', call('_codecs', 'encode', text('abc'), text('latin1'))),
    ],
    expansion: copies,
  },
  { name: 'torch', read: (bytes) => tensorsOf(readTorch(bytes, { file })), samples: [legacy], expansion: copies },
];

/** Reads a tensor that stands in a dict: the others are views. */
function tensorsOf(value: unknown): unknown {
  const tensors = value instanceof Map ? [...value.values()].filter((each) => each instanceof TorchTensor) : [];
  return tensors[0]?.hostArray();
}

/** What goes wrong with files: other bytes, some missing, some more, an end that is missing, large numbers in text and in bytes. */
const damage = fc.array(
  fc.record({
    // A share of the length, evenly: doubles would be small ones for the most part.
    at: fc.integer({ min: 0, max: 9999 }).map((part) => part / 10_000),
    kind: fc.constantFrom('replace', 'remove', 'insert', 'cut', 'digits', 'largest' as const),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }),
  }),
  { minLength: 1, maxLength: 4 },
);

function damaged(whole: Uint8Array, changes: typeof damage extends fc.Arbitrary<infer T> ? T : never): Uint8Array {
  return changes.reduce((bytes: Uint8Array, { at, kind, bytes: given }) => {
    const start = Math.floor(at * bytes.length);
    const after = (skipped: number, put: Uint8Array) =>
      Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + skipped)]);
    if (kind === 'replace') return after(given.length, given);
    if (kind === 'remove') return after(given.length, new Uint8Array());
    if (kind === 'insert') return after(0, given);
    if (kind === 'digits') return after(0, Buffer.from('9'.repeat(given.length)));
    if (kind === 'cut') return bytes.subarray(0, start);
    return after(given.length, new Uint8Array(given.length).fill(given[0]! % 2 === 0 ? 0xff : 0x7f));
  }, whole);
}

/** Comes to an end, by a result or by one line that names the file, and takes no more memory than the file justifies. */
function expectBounded({ read, expansion }: Reader, bytes: Uint8Array): void {
  const { bytes: taken, error } = countMemory(() => read(bytes));
  expect(taken).toBeLessThanOrEqual(expansion * bytes.length + fixed);
  if (error === undefined) return;
  expect(error).toBeInstanceOf(Error);
  const { message, cause } = error as Error;
  expect(message).toContain(file);
  expect(message).not.toContain('\n');
  // A slip of ours would be a TypeError: "undefined is not ...".
  expect(cause).not.toBeInstanceOf(TypeError);
}

describe.each(readers)('whatever stands in it, the reader of $name ends', (reader) => {
  test('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expectBounded(reader, bytes)),
      { numRuns: 300 },
    );
  });

  test('damaged files', () => {
    const sample = fc.constantFrom(...reader.samples);
    const property = fc.property(sample, damage, (whole, changes) => expectBounded(reader, damaged(whole, changes)));
    fc.assert(property, { numRuns: 600 });
  });

  test('files that are cut off at any byte', () => {
    for (const whole of reader.samples) {
      expect(countMemory(() => reader.read(whole)).error).toBeUndefined();
      for (let length = 0; length < whole.length; length++) {
        const { error } = countMemory(() => reader.read(whole.subarray(0, length)));
        expect((error as Error | undefined)?.message, `of ${length} bytes`).toContain(file);
      }
    }
  });
});

describe('claims under a valid checksum are held to what the file can hold', () => {
  test('a picture of 2^28 pixels in a hundred bytes', () => {
    const png = encodePng({ width: 1, height: 1, channels: 1, data: new Uint8Array(1) });
    const header = new DataView(png.buffer, png.byteOffset);
    header.setUint32(16, 2 ** 14);
    header.setUint32(20, 2 ** 14);
    header.setUint32(29, crc32(png.subarray(12, 29)));
    const { bytes, error } = countMemory(() => decodePng(png, { file }));
    expect(error).toEqual(new Error(`decodePng ${file}: pixels are cut off`));
    expect(bytes).toBeLessThan(fixed);
  });

  test('an archive whose files are all the same bytes', () => {
    const archive = writeNpz(['a', 'b', 'c'].map((name) => [name, floats] as const));
    const [first] = listZip(archive, file);
    const view = new DataView(archive.buffer, archive.byteOffset);
    for (let at = 0; at < archive.length - 46; at++) {
      if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 42, first!.offset, true);
    }
    expect(() => readNpz(archive, { file })).toThrow(`readNpz ${file}: "b.npy" overlaps "a.npy". Is it damaged?`);
  });
});
