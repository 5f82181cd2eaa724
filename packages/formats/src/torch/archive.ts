import type { PickleConstructor } from '../pickle/index.ts';
import { readPickleAt } from '../pickle/read-pickle.ts';
import { listZip, readZipEntry, type ZipEntry } from '../zip.ts';
import { Storages, storageConstructors, type TorchStorage, widthOf } from './storage.ts';

/** The format of `torch.save` since 1.6: an archive of `NAME/data.pkl` and a file `NAME/data/KEY` for each storage. */
export function readArchive(
  bytes: Uint8Array,
  where: string,
  construct: Readonly<Record<string, PickleConstructor>>,
): unknown {
  const entries = new Map(listZip(bytes, where).map((entry) => [entry.name, entry]));
  const pickle = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined) throw new Error(`${where}: is a zip archive, but not one that torch.save wrote`);
  const folder = pickle.slice(0, -'data.pkl'.length);
  const unpack = (name: string): Uint8Array => readZipEntry(bytes, entries.get(name) as ZipEntry, where);

  const order = entries.has(`${folder}byteorder`) ? new TextDecoder().decode(unpack(`${folder}byteorder`)) : 'little';
  if (order !== 'little') throw new Error(`${where}: is not from a machine that puts the lowest byte first`);

  const unpacked = new Map<string, Uint8Array>();
  const storages = new Storages((key) => {
    const content = unpacked.get(key) ?? unpack(`${folder}data/${key}`);
    unpacked.set(key, content);
    return content;
  });
  const { value } = readPickleAt(unpack(pickle), 0, `${where}: ${JSON.stringify(pickle)}`, {
    construct: { ...storageConstructors, ...construct },
    persistent: storages.find,
  });
  for (const key of storages.keys) {
    const { dtype, length } = storages.get(key) as TorchStorage;
    const entry = entries.get(`${folder}data/${key}`);
    if (entry?.size !== length * widthOf(dtype))
      throw new Error(`${where}: storage ${key} is missing or of another size`);
  }
  return value;
}
