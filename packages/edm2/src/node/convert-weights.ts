import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type HostArray, writeSafetensors } from '@evenkeel/formats';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { encodeSnapshot } from '../ema/index.ts';
import { networkMetadata } from '../network/network-metadata.ts';
import { type NetworkWeights, readWeights } from './read-network.ts';
import type { SnapshotChoice } from './snapshot-folder.ts';

/** Options of {@link convertWeights}. */
export interface ConvertWeightsOptions extends SnapshotChoice {
  /** What real numbers are stored in. @defaultValue what the source holds */
  readonly dtype?: 'float16' | 'float32';
  /** Whether a file that exists is replaced. @defaultValue false */
  readonly force?: boolean;
  /** Whether nothing is written. @defaultValue false */
  readonly dryRun?: boolean;
}

/** What {@link convertWeights} did. */
export interface Conversion {
  /** The file that was read. */
  readonly source: string;
  /** The file that was written. */
  readonly destination: string;
  readonly bytes: number;
  readonly weights: NetworkWeights;
}

/**
 * Writes the weights of a network as a safetensors file that says which network they are of, under their published names.
 *
 * @param source what `readNetwork` takes: a snapshot of published code, a safetensors file, a folder
 * @param destination the file, or a folder, in which it gets the name of the source
 * @throws Error, one line, when the source cannot be read, or the destination exists or ends in something else.
 * @example
 * ```ts
 * async function halve(file: string) {
 *   const { destination, bytes } = await convertWeights(file, 'float16/', { dtype: 'float16' });
 *   console.log(`${destination}: ${bytes} bytes`);
 * }
 * ```
 */
export async function convertWeights(
  source: string,
  destination: string,
  options: ConvertWeightsOptions = {},
): Promise<Conversion> {
  const { dtype, force = false, dryRun = false, ...choice } = options;
  const weights = await readWeights(source, choice);
  const path = await destinationFile(destination, weights.file);
  if (!force && (await exists(path))) throw new Error(`${path}: exists. --force replaces it`);
  const content = encodeWeights(weights, dtype);
  if (!dryRun) await writeFileAtomically(path, content);
  return { source: weights.file, destination: path, bytes: content.length, weights };
}

function encodeWeights(weights: NetworkWeights, dtype?: 'float16' | 'float32'): Uint8Array {
  const { description, images, std, copied } = weights;
  const values = new Map([...weights.values].map(([name, array]) => [name, cast(array, dtype)]));
  const metadata = networkMetadata(description);
  if (images === undefined || std === undefined || images === 0) return writeSafetensors(values, metadata);
  return encodeSnapshot({ images, std, values, copied, metadata });
}

/** Readers give float16 as numbers, which float32 holds exactly. */
function cast(array: HostArray, dtype = array.dtype): HostArray {
  if (array.dtype === dtype || !array.dtype.startsWith('float')) return array;
  const data = array.data instanceof Float32Array ? array.data : Float32Array.from(array.data as Float64Array);
  return { dtype, shape: array.shape, data };
}

async function destinationFile(destination: string, source: string): Promise<string> {
  const isFolder = await stat(destination).then(
    (found) => found.isDirectory(),
    () => /[\\/]$/.test(destination),
  );
  if (isFolder) return join(destination, basename(source).replace(/(\.[a-z]+)?$/, '.safetensors'));
  // Under another ending it would be read as something else.
  if (!/\.safetensors$/i.test(destination)) {
    throw new Error(`${destination}: what is written is safetensors. Give a name that ends so, or a folder`);
  }
  return destination;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
