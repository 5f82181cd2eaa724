import { type ArrayDType, bytesOfDType } from '../dtype.ts';
import { type PickleConstructor, PickleGlobal } from '../pickle/index.ts';

/** Element types of storages; bfloat16 is read as float32. */
export type TorchDType = ArrayDType | 'bfloat16';

/** A run of elements that tensors are views of, lowest byte first. */
export class TorchStorage {
  readonly dtype: TorchDType;
  /** Elements. */
  readonly length: number;
  readonly #content: () => Uint8Array;

  /** @param content gives the bytes when they are first needed: they may stand behind what names them */
  constructor({ dtype, length }: Pick<StorageId, 'dtype' | 'length'>, content: () => Uint8Array) {
    this.dtype = dtype;
    this.length = length;
    this.#content = content;
  }

  get bytes(): Uint8Array {
    return this.#content();
  }
}

/** Bytes of one element. */
export const widthOf = (dtype: TorchDType): number => (dtype === 'bfloat16' ? 2 : bytesOfDType[dtype]);

const dtypes = {
  DoubleStorage: 'float64',
  FloatStorage: 'float32',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
} as const satisfies Record<string, TorchDType>;

/** The classes of storages, which persistent ids name. */
export const storageConstructors: Readonly<Record<string, PickleConstructor>> = Object.fromEntries(
  Object.keys(dtypes).map((name) => [`torch.${name}`, 'object']),
);

/** What a persistent id says of a storage. */
interface StorageId {
  readonly dtype: TorchDType;
  readonly key: string;
  readonly length: number;
}

/** Reads `('storage', class, key, location, elements)`; the view that old files give last must be none. */
function storageId(id: unknown): StorageId {
  const [kind, type, key, , length, view = null] = Array.isArray(id) ? id : [];
  const name = type instanceof PickleGlobal ? type.name.replace('torch.', '') : '';
  if (kind !== 'storage' || !Object.hasOwn(dtypes, name) || typeof key !== 'string' || !/^\w{1,64}$/.test(key)) {
    throw new Error('a persistent id does not name a storage');
  }
  if (!Number.isSafeInteger(length) || (length as number) < 0)
    throw new Error('a storage has no whole number of elements');
  if (view !== null) throw new Error('a storage is a view of another, which is not supported');
  return { dtype: dtypes[name as keyof typeof dtypes], key, length: length as number };
}

/** The storages that persistent ids of one pickle name: one for each key. */
export class Storages {
  readonly #storages = new Map<string, TorchStorage>();
  readonly #contentOf: (key: string, storage: TorchStorage) => Uint8Array;

  constructor(contentOf: (key: string, storage: TorchStorage) => Uint8Array) {
    this.#contentOf = contentOf;
  }

  /** What a persistent id stands for. */
  readonly find = (id: unknown): TorchStorage => {
    const { key, ...named } = storageId(id);
    const known = this.#storages.get(key);
    if (known !== undefined) {
      if (known.dtype === named.dtype && known.length === named.length) return known;
      throw new Error(`storage ${key} is named with two types or sizes`);
    }
    const storage: TorchStorage = new TorchStorage(named, () => this.#contentOf(key, storage));
    this.#storages.set(key, storage);
    return storage;
  };

  get(key: string): TorchStorage | undefined {
    return this.#storages.get(key);
  }

  get keys(): Iterable<string> {
    return this.#storages.keys();
  }
}
