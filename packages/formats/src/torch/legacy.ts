import type { PickleConstructor } from '../pickle/index.ts';
import { readPickleAt } from '../pickle/read-pickle.ts';
import { Storages, storageConstructors, type TorchStorage, widthOf } from './storage.ts';

const magic = 0x1950a86a20f9469cfc6cn;
const protocol = 1001;

/**
 * The format of `torch.save` before 1.6, in which single storages are still written: pickles of a magic number, a version,
 * facts of the machine, the object, and a list of keys; then for each key a count and the elements of its storage.
 */
export function readLegacy(
  bytes: Uint8Array,
  where: string,
  construct: Readonly<Record<string, PickleConstructor>>,
): unknown {
  let at = 0;
  const next = (options = {}): unknown => {
    const { value, end } = readPickleAt(bytes, at, where, options);
    at = end;
    return value;
  };
  if (next() !== magic) throw new Error(`${where}: does not start as files of PyTorch do`);
  const version = next();
  if (version !== protocol)
    throw new Error(`${where}: its format of PyTorch files is not ${protocol}, the one that is known`);
  const system = next();
  if (!(system instanceof Map) || system.get('little_endian') !== true) {
    throw new Error(`${where}: is not from a machine that puts the lowest byte first`);
  }
  const contents = new Map<string, Uint8Array>();
  const storages = new Storages((key) => contents.get(key) as Uint8Array);
  const value = next({ construct: { ...storageConstructors, ...construct }, persistent: storages.find });
  const keys = next();
  if (!Array.isArray(keys)) throw new Error(`${where}: has no list of storages`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const key of keys) {
    const storage = storages.get(key);
    if (storage === undefined || contents.has(key)) throw new Error(`${where}: lists storages that belong to nothing`);
    const content = elementsAt(view, at, storage);
    if (content === undefined) throw new Error(`${where}: storage ${key} is cut off or of another size`);
    contents.set(key, content);
    at += 8 + content.length;
  }
  for (const key of storages.keys) if (!contents.has(key)) throw new Error(`${where}: storage ${key} has no elements`);
  if (at !== bytes.length) throw new Error(`${where}: ${bytes.length - at} bytes belong to no storage`);
  return value;
}

function elementsAt(view: DataView, at: number, { dtype, length }: TorchStorage): Uint8Array | undefined {
  const size = length * widthOf(dtype);
  if (at + 8 + size > view.byteLength || view.getBigInt64(at, true) !== BigInt(length)) return undefined;
  return new Uint8Array(view.buffer, view.byteOffset + at + 8, size);
}
