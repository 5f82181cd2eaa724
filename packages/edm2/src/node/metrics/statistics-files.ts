import { readFile } from 'node:fs/promises';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { decodeStatistics, encodeStatistics, type ImageSetStatistics } from '../../metrics/reference.ts';

/**
 * Reads a file of statistics, `.npz` (published ones of FID too) or safetensors.
 *
 * @throws Error, one line naming the file, when it is missing, damaged or holds no statistics.
 * @example
 * ```ts
 * const moments = new Map([['fid', { mean: Float64Array.of(1), covariance: Float64Array.of(2) }]]);
 * await writeStatistics('out/reference.npz', { count: 50_000, moments, features: new Map() });
 * (await readStatistics('out/reference.npz')).count; // 50000
 * ```
 */
export async function readStatistics(path: string): Promise<ImageSetStatistics> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw new Error(`${path}: ${reason}. Make it: edm2 metrics ref`, { cause: error });
  });
  return decodeStatistics(bytes, path);
}

/**
 * Writes statistics: as `.npz` or as `.safetensors`, after the path's ending.
 *
 * @throws Error, one line, for other endings, or when the file cannot be written.
 * @example
 * ```ts
 * const moments = new Map([['fid', { mean: Float64Array.of(1), covariance: Float64Array.of(2) }]]);
 * await writeStatistics('out/reference.safetensors', { moments, features: new Map() });
 * ```
 */
export async function writeStatistics(path: string, statistics: ImageSetStatistics): Promise<void> {
  await writeFileAtomically(path, encodeStatistics(statistics, formOf(path)));
}

/** @throws for endings of neither form. */
export function formOf(path: string): 'npz' | 'safetensors' {
  const [, ending] = /\.(npz|safetensors)$/.exec(path) ?? [];
  if (ending === undefined) throw new Error(`${path}: statistics are written as .npz or .safetensors`);
  return ending as 'npz' | 'safetensors';
}
