// First: readers are counted from their first line on.
import '../../../formats/test/counted-memory.ts';

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countMemory } from '../../../formats/test/counted-memory.ts';
import {
  blob,
  bytesOf,
  call,
  dict,
  global,
  integer,
  legacyFile,
  list,
  type Piece,
  pickle,
  type StorageBytes,
  storageReference,
  tensorOf,
  text,
} from '../../../formats/test/pickle-bytes.ts';
import { decodePublishedSnapshot } from '../../src/index.ts';

const file = 'hostile.pkl';
const storage: StorageBytes = { type: 'HalfStorage', key: '1', count: 512, bytes: new Uint8Array(1024) };
const loaded = call('torch.storage', '_load_from_bytes', blob(legacyFile([storageReference(storage)], [storage])));
const tensor = tensorOf(loaded, { shape: [2, 256], strides: [1, 2] });

interface Parts {
  readonly parameters?: readonly Piece[];
  readonly buffers?: readonly Piece[];
  readonly modules?: readonly Piece[];
}

const attributes = ({ parameters = [], buffers = [], modules = [] }: Parts): Uint8Array =>
  bytesOf(
    text('_parameters'),
    dict(...parameters),
    text('_buffers'),
    dict(...buffers),
    text('_modules'),
    dict(...modules),
  );
const persistent = (className: string, ...state: Piece[]): Uint8Array =>
  call(
    'torch_utils.persistence',
    '_reconstruct_persistent_obj',
    dict(text('class_name'), text(className), text('state'), dict(...state)),
  );
const options = dict(
  ...(['img_resolution', 'img_channels', 'label_dim'] as const).flatMap((name) => [text(name), integer(4)]),
);
const snapshotOf = (parts: Parts, kwargs: Uint8Array = options): Uint8Array =>
  pickle(dict(text('ema'), persistent('Precond', text('_init_kwargs'), kwargs, attributes(parts))));

const decode = (bytes: Uint8Array) => decodePublishedSnapshot(bytes, file);
const refusal = (bytes: Uint8Array): string => {
  const { error } = countMemory(() => decode(bytes));
  return error === undefined ? 'read it' : (error as Error).message;
};

describe('a snapshot made by hand', () => {
  test('is read: strides, several storages, buffers that are not saved', () => {
    const other: StorageBytes = { ...storage, key: '2', count: 3, bytes: Uint8Array.of(0, 0x3c, 0, 0x40, 0, 0x42) };
    const bytes = legacyFile([storageReference(other)], [other]);
    const second = tensorOf(call('torch.storage', '_load_from_bytes', blob(bytes)), {
      offset: 1,
      shape: [2],
      strides: [1],
    });
    const inner = persistent(
      'MPConv',
      attributes({ parameters: [text('weight'), second, text('bias'), 'N'], buffers: [text('cache'), tensor] }),
      text('_non_persistent_buffers_set'),
      '\x8f(',
      text('cache'),
      '\x90',
    );
    const { values, copied } = decode(
      snapshotOf({
        parameters: [text('gain'), tensor],
        buffers: [text('freqs'), tensor],
        modules: [text('conv'), inner],
      }),
    );
    expect([...values.keys()]).toEqual(['gain', 'freqs', 'conv.weight']);
    expect(copied).toEqual(['freqs']);
    expect(values.get('conv.weight')).toEqual({ dtype: 'float16', shape: [2], data: Float32Array.of(2, 3) });
  });

  test('cut off at any byte is one line', () => {
    const whole = snapshotOf({ parameters: [text('gain'), tensor] });
    for (let length = 0; length < whole.length; length++) {
      expect(refusal(whole.subarray(0, length))).toMatch(/^readPickle hostile\.pkl: byte \d+: .*cut off/);
    }
  });
});

describe('is refused:', () => {
  test.each([
    ['os', 'system'],
    ['builtins', 'eval'],
    ['torch', 'load'],
    ['torch.nn.modules.container', 'Sequential'],
  ])('%s.%s', (module, name) => {
    const bytes = snapshotOf({ parameters: [text('gain'), call(module, name, text('echo'))] });
    expect(refusal(bytes)).toContain(`names ${module}.${name}, which is not among what may be built`);
  });

  test('a module inside itself, in two places, or below too many', () => {
    const empty = attributes({});
    const dictClass = global('torch.nn.modules.container', 'ModuleDict');
    const container = bytesOf(dictClass, ')\x81q\x09');
    const inItself = bytesOf(
      container,
      dict(text('_parameters'), '}', text('_buffers'), '}', text('_modules'), dict(text('me'), 'h\x09')),
      'b',
    );
    expect(refusal(snapshotOf({ modules: [text('a'), inItself] }))).toBe(`${file}: a.me stands in two places`);
    const shared = bytesOf(persistent('MPConv', empty), 'q\x09');
    expect(refusal(snapshotOf({ modules: [text('a'), shared, text('b'), 'h\x09'] }))).toBe(
      `${file}: b stands in two places`,
    );
    let deep = persistent('MPConv', empty);
    for (let i = 0; i < 40; i++) deep = persistent('MPConv', attributes({ modules: [text('m'), deep] }));
    expect(refusal(snapshotOf({ modules: [text('m'), deep] }))).toMatch(/has more than 32 modules around it$/);
  });

  test('one storage used until the tensors are larger than the file', () => {
    const kept = bytesOf(loaded, 'q\x09');
    const first = tensorOf(kept, { shape: [512], strides: [1] });
    const more = Array.from({ length: 40 }, (_, i) => [
      text(`p${i}`),
      tensorOf(bytesOf('h\x09'), { shape: [512], strides: [1] }),
    ]);
    const bytes = snapshotOf({ parameters: [text('p'), first, ...more.flat()] });
    expect(bytes.length).toBeLessThan(40 * 1024);
    expect(refusal(bytes)).toBe(`${file}: its tensors take more bytes than the file has`);
  });

  test('what is no tensor, no module, or an option of another type', () => {
    expect(refusal(snapshotOf({ parameters: [text('gain'), 'K\x01'] }))).toBe(`${file}: gain is no tensor`);
    expect(refusal(snapshotOf({ modules: [text('a'), 'K\x01'] }))).toBe(`${file}: a is no object of published code`);
    const wrong = (value: Piece) =>
      refusal(
        snapshotOf({}, dict(text('img_resolution'), value, text('img_channels'), 'K\x03', text('label_dim'), 'K\0')),
      );
    expect(wrong(text('4'))).toBe(`${file}: the network's img_resolution must be a whole number above 0, got "4"`);
    expect(wrong(list(']'))).toMatch(/img_resolution must be a whole number above 0, got a list of others$/);
    expect(wrong(bytesOf(']q\x05h\x05a'))).toMatch(/got a list of others$/);
    expect(wrong('\x8a\x09\0\0\0\0\0\0\0\0\x01')).toMatch(/img_resolution must be a whole number above 0/);
    expect(refusal(snapshotOf({}, dict()))).toBe(`${file}: does not say the network's img_resolution`);
    expect(refusal(pickle('N'))).toBe(`${file}: is no network snapshot: it has no 'ema'`);
  });
});

test('a published snapshot with damage anywhere ends in one line, and takes four times its size at most', () => {
  const published = readFileSync(new URL('../../conformance/snapshot_tiny.pkl', import.meta.url));
  const change = fc.record({ at: fc.nat({ max: published.length - 1 }), byte: fc.nat({ max: 255 }) });
  const property = fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
    const bytes = Uint8Array.from(published);
    for (const { at, byte } of changes) bytes[at] = byte;
    const { bytes: taken, error } = countMemory(() => decode(bytes));
    // A copy, a decoded copy of twice the size, one more where strides are odd; and the table of float16.
    expect(taken).toBeLessThanOrEqual(4 * bytes.length + 2 ** 20);
    if (error === undefined) return;
    expect((error as Error).message).toContain(file);
    expect((error as Error).message).not.toContain('\n');
    expect((error as Error).cause).not.toBeInstanceOf(TypeError);
  });
  fc.assert(property, { numRuns: 150 });
});
