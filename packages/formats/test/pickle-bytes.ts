import { deflateRawSync } from 'node:zlib';

/** What a pickle is put together of: opcodes as characters, and bytes. */
export type Piece = string | Uint8Array | number;

/** Joins pieces: a character is a byte, a number too. */
export function bytesOf(...pieces: readonly Piece[]): Uint8Array {
  return Buffer.concat(
    pieces.map((piece) => {
      if (typeof piece === 'string') return Buffer.from(piece, 'latin1');
      return typeof piece === 'number' ? Buffer.from([piece]) : piece;
    }),
  );
}

/** A number of `bytes` bytes, the lowest first. */
export function little(value: number | bigint, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 255n));
}

export const text = (value: string): Uint8Array => {
  const utf8 = Buffer.from(value, 'utf8');
  return bytesOf('X', little(utf8.length, 4), utf8);
};
export const blob = (value: Uint8Array): Uint8Array => bytesOf('B', little(value.length, 4), value);
export const integer = (value: number): Uint8Array => bytesOf('J', little(value, 4));
export const global = (module: string, name: string): Uint8Array => bytesOf('c', `${module}\n${name}\n`);
export const tuple = (...items: readonly Piece[]): Uint8Array => bytesOf('(', ...items, 't');
export const list = (...items: readonly Piece[]): Uint8Array => bytesOf('](', ...items, 'e');
export const dict = (...items: readonly Piece[]): Uint8Array => bytesOf('}(', ...items, 'u');
export const call = (module: string, name: string, ...args: readonly Piece[]): Uint8Array =>
  bytesOf(global(module, name), tuple(...args), 'R');
export const sizes = (values: readonly number[]): Uint8Array => tuple(...values.map(integer));

/** A pickle of protocol 4 whose value is made by the pieces. */
export const pickle = (...pieces: readonly Piece[]): Uint8Array => bytesOf('\x80\x04', ...pieces, '.');

/** A storage, and how a tensor looks at it. */
export interface StorageBytes {
  readonly type: string;
  readonly key: string;
  readonly count: number;
  readonly bytes: Uint8Array;
}

const magic = bytesOf('\x8a\x0a', little(0x1950a86a20f9469cfc6cn, 10));
const system = dict(text('protocol_version'), bytesOf('M', little(1001, 2)), text('little_endian'), '\x88');

export const storageReference = ({ type, key, count }: StorageBytes): Uint8Array =>
  bytesOf(tuple(text('storage'), global('torch', type), text(key), text('cpu'), integer(count)), 'Q');

/** A file of `torch.save` before 1.6 of the value that the pieces make. */
export function legacyFile(value: readonly Piece[], storages: readonly StorageBytes[]): Uint8Array {
  return bytesOf(
    pickle(magic),
    pickle(bytesOf('M', little(1001, 2))),
    pickle(system),
    pickle(...value),
    pickle(list(...storages.map(({ key }) => text(key)))),
    ...storages.flatMap(({ count, bytes }) => [little(count, 8), bytes]),
  );
}

/** A tensor of a storage. */
export function tensorOf(
  storage: Uint8Array,
  { offset = 0, shape, strides }: { offset?: number; shape: readonly number[]; strides: readonly number[] },
): Uint8Array {
  const hooks = call('collections', 'OrderedDict');
  return call(
    'torch._utils',
    '_rebuild_tensor_v2',
    storage,
    integer(offset),
    sizes(shape),
    sizes(strides),
    '\x89',
    hooks,
  );
}

/** Deflated by Node. */
export const deflated = (bytes: Uint8Array): Uint8Array => new Uint8Array(deflateRawSync(bytes));
