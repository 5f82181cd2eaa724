import { type HostArray, readSafetensors } from '@evenkeel/formats';
import { Generator } from '@evenkeel/tensor';
import { stateDictOf } from '../ema/index.ts';
import { describedSnapshot } from '../ema/snapshot.ts';
import { describedNetwork, type NetworkDescription } from '../network/network-metadata.ts';
import { Precond } from '../network/precondition.ts';
import { decodePublishedSnapshot } from '../published/decode-snapshot.ts';
import { contentOf, isFolder } from './content.ts';
import { newestSnapshot, type SnapshotChoice } from './snapshot-folder.ts';

/** Weights of a file, and what it says of them. */
export interface NetworkWeights {
  /** The file that was read: that of a folder which was chosen, or the path given. */
  readonly file: string;
  /** Parameters and buffers under their published names. */
  readonly values: ReadonlyMap<string, HostArray>;
  /** Names of those that averages do not average. */
  readonly copied: readonly string[];
  readonly description: NetworkDescription;
  /** Images that the network had seen; undefined where the file does not say. */
  readonly images: number | undefined;
  /** Length of the average; undefined where the file does not say. */
  readonly std: number | undefined;
}

/** What {@link readNetwork} gives. */
export interface StoredNetwork extends Omit<NetworkWeights, 'values' | 'copied'> {
  /** In evaluation mode. Dispose it when it is no longer needed. */
  readonly net: Precond;
}

/**
 * Reads a network from a file of weights: a safetensors file that `encodeSnapshot` wrote with the metadata of
 * `networkMetadata`, or a snapshot of published code (`.pkl`); or from a folder, whose newest snapshot is taken.
 *
 * @param path file or folder
 * @throws Error, one line naming the file, when it is missing, damaged, does not say which network it is of, or holds weights
 * of another.
 * @example
 * ```ts
 * async function denoise(path: string, noisy: Tensor) {
 *   const { net, std } = await readNetwork(path);
 *   console.log(`average of length ${std}`);
 *   return net.denoise(noisy, 0.5);
 * }
 * ```
 */
export async function readNetwork(path: string, choice: SnapshotChoice = {}): Promise<StoredNetwork> {
  const { values, copied, ...about } = await readWeights(path, choice);
  let net: Precond | undefined;
  try {
    // First values are replaced at once: they must not move the generator that layers share. Whatever it was trained in,
    // the network is evaluated in float32, which a CPU computes as fast as float16.
    net = new Precond({ ...about.description.options, generator: new Generator(0), fp16: false });
    const { missing, unexpected } = net.loadStateDict(stateDictOf(values), { strict: false });
    if (missing.length > 0) throw new Error(`lacks ${counted(missing)} of the network that it describes`);
    if (unexpected.length > 0) throw new Error(`holds ${counted(unexpected)} that its network does not have`);
    return { net: net.eval(), ...about };
  } catch (error) {
    net?.dispose();
    throw new Error(`${about.file}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Reads what {@link readNetwork} makes a network of, without making it.
 *
 * @throws as {@link readNetwork}.
 * @example
 * ```ts
 * async function shapesOf(path: string) {
 *   const { values } = await readWeights(path);
 *   return new Map([...values].map(([name, { shape }]) => [name, shape]));
 * }
 * ```
 */
export async function readWeights(path: string, choice: SnapshotChoice = {}): Promise<NetworkWeights> {
  const file = (await isFolder(path)) ? await newestSnapshot(path, choice) : path;
  const content = await contentOf(file);
  if (file.endsWith('.pkl') || isPickle(content)) {
    const { datasetOptions, ...weights } = decodePublishedSnapshot(content, file);
    return { file, ...weights };
  }
  const { tensors, metadata } = readSafetensors(content, { file });
  const description = describedNetwork(Object.fromEntries(metadata), file);
  const average = metadata.has('ema_std') ? describedSnapshot(metadata, file) : undefined;
  const { copied = [], images, std } = average ?? {};
  return { file, values: tensors, copied, description, images, std };
}

/** Pickles start with the opcode of their protocol; a safetensors file of the same first byte has JSON from its ninth on. */
function isPickle(content: Uint8Array): boolean {
  return content[0] === 0x80 && content[8] !== '{'.charCodeAt(0);
}

function counted(names: readonly string[]): string {
  return `${names.length} ${names.length === 1 ? 'tensor' : 'tensors'} (${names[0]}${names.length > 1 ? ', ...' : ''})`;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
