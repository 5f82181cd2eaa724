import { type Zippable, zipSync } from 'fflate';
import type { HostArray } from '../host-array.ts';
import { listZip, readZipEntry } from '../zip.ts';
import { type NpyReadOptions, readNpy, writeNpy } from './npy.ts';

/** Options of {@link writeNpz}. */
export interface NpzWriteOptions {
  /** Deflates the arrays, as `numpy.savez_compressed` does. Default `false`. */
  readonly compress?: boolean;
}

/**
 * Reads a NumPy archive (`.npz`, stored or deflated, zip64 too): arrays by name, without the `.npy` of the files inside.
 * Checksums are verified.
 *
 * @throws Error, one line, when the archive is damaged or cut off, holds a file that is no array, or a name twice.
 * @example
 * ```ts
 * const stats = writeNpz([['mu', { dtype: 'float64', shape: [2], data: new Float64Array([1, 2]) }]]); // or a file's bytes
 * const mu = readNpz(stats, { file: 'stats.npz' }).get('mu')?.data; // Float64Array [1, 2]
 * ```
 */
export function readNpz(bytes: Uint8Array, options: NpyReadOptions = {}): Map<string, HostArray> {
  const where = `readNpz${options.file === undefined ? '' : ` ${options.file}`}`;
  const arrays = new Map<string, HostArray>();
  for (const entry of listZip(bytes, where)) {
    const name = entry.name.replace(/\.npy$/, '');
    if (name === entry.name) throw new Error(`${where}: ${JSON.stringify(name)} is not a .npy file`);
    if (arrays.has(name)) throw new Error(`${where}: holds ${JSON.stringify(name)} twice`);
    const content = readZipEntry(bytes, entry, where);
    arrays.set(name, readNpy(content, { ...options, file: `${options.file ?? 'npz'}: ${JSON.stringify(name)}` }));
  }
  return arrays;
}

/**
 * Writes arrays as one `.npz` archive that `numpy.load` reads. The same entries give the same bytes.
 *
 * @throws Error when a name is empty or appears twice, or when dtype, shape and data of an array disagree.
 * @example
 * ```ts
 * const bytes = writeNpz([['mu', { dtype: 'float64', shape: [2], data: new Float64Array(2) }]], { compress: true });
 * ```
 */
export function writeNpz(
  entries: Iterable<readonly [name: string, array: HostArray]>,
  options: NpzWriteOptions = {},
): Uint8Array {
  const files: Zippable = Object.create(null);
  for (const [name, array] of entries) {
    if (name === '') throw new Error('writeNpz: an array has an empty name');
    if (`${name}.npy` in files) throw new Error(`writeNpz: two arrays are named ${JSON.stringify(name)}`);
    files[`${name}.npy`] = writeNpy(array);
  }
  // Zip times are local; a fixed local date keeps the bytes equal everywhere.
  return zipSync(files, { level: options.compress ? 6 : 0, mtime: new Date(1980, 0, 1) });
}
