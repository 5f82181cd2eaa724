import { decodeBfloat16 } from '../float16.ts';
import { type HostArray, type HostArrayOptions, hostArrayFromBytes } from '../host-array.ts';
import { type HeaderEntry, parseHeader } from './header.ts';

/** Options of {@link readSafetensors}. */
export interface SafetensorsReadOptions extends HostArrayOptions {
  /** Names the file in error messages. */
  readonly file?: string;
}

/** What a safetensors file holds. */
export interface Safetensors {
  /** Tensors by name, in the order of the header. */
  readonly tensors: Map<string, HostArray>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads a whole safetensors file. Arrays are copies; `bytes` may be changed or dropped afterwards. BF16 becomes
 * float32, exactly; the option `float16` and `int64` choose how those two are held.
 *
 * @throws Error, one line, when the header is malformed, a tensor's offsets do not fit its shape, overlap, leave a hole or
 * pass the end of the file, a name appears twice, or a dtype is unknown.
 * @example
 * ```ts
 * import { readFile, writeFile } from 'node:fs/promises';
 *
 * const gain = { dtype: 'float32', shape: [], data: new Float32Array([1]) } as const;
 * await writeFile('net.safetensors', writeSafetensors([['unet.out_gain', gain]]));
 * const { tensors } = readSafetensors(await readFile('net.safetensors'), { file: 'net.safetensors' });
 * tensors.get('unet.out_gain')?.data; // Float32Array [1]
 * ```
 */
export function readSafetensors(bytes: Uint8Array, options: SafetensorsReadOptions = {}): Safetensors {
  const where = `readSafetensors${options.file === undefined ? '' : ` ${options.file}`}`;
  const { entries, metadata } = parseHeader(bytes, where);
  const tensors = new Map<string, HostArray>();
  for (const entry of entries) {
    tensors.set(entry.name, tensorFromBytes(entry, bytes.subarray(entry.begin, entry.end), where, options));
  }
  return { tensors, metadata };
}

/** The array that an entry of the header describes, copied from its bytes. */
export function tensorFromBytes(
  { name, dtype, shape }: HeaderEntry,
  content: Uint8Array,
  where: string,
  options: HostArrayOptions,
): HostArray {
  return dtype === 'bfloat16'
    ? { dtype: 'float32', shape, data: decodeBfloat16(new Uint16Array(new Uint8Array(content).buffer)) }
    : hostArrayFromBytes(dtype, shape, content, options, `${where}: tensor ${JSON.stringify(name)}`);
}
