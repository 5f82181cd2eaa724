import { bytesOfDType } from '../dtype.ts';
import { bytesOfHostArray, type HostArray } from '../host-array.ts';
import { safetensorsNames } from './dtypes.ts';

/**
 * Writes tensors as one safetensors file. The same entries give the same bytes. Wide elements come first in the data, so
 * that every tensor is aligned to its element size. A float16 array of values is rounded to nearest even.
 *
 * @param entries name and array of each tensor: a `Map`, or pairs
 * @param metadata strings kept under `__metadata__`
 * @throws Error when a name appears twice or is `__metadata__`, or when dtype, shape and data of an array disagree.
 * @example
 * ```ts
 * const bytes = writeSafetensors([['bias', { dtype: 'float32', shape: [2], data: new Float32Array([1, 2]) }]]);
 * ```
 */
export function writeSafetensors(
  entries: Iterable<readonly [name: string, array: HostArray]>,
  metadata: ReadonlyMap<string, string> | Readonly<Record<string, string>> = {},
): Uint8Array {
  const contents = [...entries].map(([name, array]) => {
    const where = `writeSafetensors: tensor ${JSON.stringify(name)}`;
    return { name, array, bytes: bytesOfHostArray(array, where), begin: 0 };
  });
  const names = new Set<string>();
  for (const { name } of contents) {
    if (name === '__metadata__') throw new Error('writeSafetensors: a tensor cannot be named "__metadata__"');
    if (names.has(name)) throw new Error(`writeSafetensors: two tensors are named ${JSON.stringify(name)}`);
    names.add(name);
  }

  let dataLength = 0;
  const width = ({ array }: { array: HostArray }) => bytesOfDType[array.dtype];
  for (const content of [...contents].sort((a, b) => width(b) - width(a))) {
    content.begin = dataLength;
    dataLength += content.bytes.length;
  }

  const header = contents.map(({ name, array, bytes, begin }) => {
    const offsets = [begin, begin + bytes.length];
    return member(name, { dtype: safetensorsNames[array.dtype], shape: array.shape, data_offsets: offsets });
  });
  const strings = metadata instanceof Map ? [...metadata] : Object.entries(metadata);
  if (strings.length > 0) header.unshift(`"__metadata__":{${strings.map(([k, text]) => member(k, text)).join(',')}}`);
  const json = new TextEncoder().encode(`{${header.join(',')}}`);

  const headerLength = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + headerLength + dataLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(json, 8);
  file.fill(0x20, 8 + json.length, 8 + headerLength);
  for (const { bytes, begin } of contents) file.set(bytes, 8 + headerLength + begin);
  return file;
}

// Built by hand because an object would move keys such as "0" to the front.
function member(key: string, value: unknown): string {
  return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
}
