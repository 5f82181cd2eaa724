import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors, writeFileAtomically } from '@evenkeel/formats/node';
import type { NamedValues, StoredEma } from '../../ema/reconstruct.ts';
import { describedSnapshot, type EncodeSnapshotOptions, encodeSnapshot, snapshotName } from '../../ema/snapshot.ts';
import type { PowerFunctionEma } from '../../ema/tracker.ts';
import { networkMetadata } from '../../network/network-metadata.ts';
import { decodePublishedSnapshot } from '../../published/decode-snapshot.ts';
import { snapshotTime } from '../../published/snapshot-time.ts';

/** What a snapshot says beside its values. */
export interface SnapshotDescription {
  /** Names that are kept but not averaged. */
  readonly copied: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** A snapshot on disk: its time and length, and ways to read the rest. */
export interface SnapshotFile extends StoredEma {
  readonly path: string;
  describe(): Promise<SnapshotDescription>;
  /** Reads a safetensors file one tensor at a time, so that memory does not hold it; a pickle as a whole. */
  load(): NamedValues | Promise<NamedValues>;
}

/**
 * Opens a snapshot that `encodeSnapshot` made: reads its description, and no tensor yet. Of a published one (`.pkl`) the name
 * tells time and length, and nothing is read before it is asked for.
 *
 * @throws Error, one line, when the file is damaged, cut off, or no snapshot; or a pickle whose name does not tell.
 * @example
 * ```ts
 * const ema = new PowerFunctionEma(new Linear(2, 1), { stds: [0.05] });
 * ema.update(4096);
 * const [path = ''] = await saveSnapshots(ema, 'out');
 * const snapshot = await openSnapshot(path); // { images: 4096, std: 0.05 }
 * ```
 */
export async function openSnapshot(path: string): Promise<SnapshotFile> {
  if (path.endsWith('.pkl')) return publishedSnapshot(path);
  const file = await openSafetensors(path);
  const { images, std, ...description } = describedSnapshot(file.metadata, `openSnapshot ${path}`);
  return { path, images, std, describe: async () => description, load: () => file.tensors() };
}

function publishedSnapshot(path: string): SnapshotFile {
  const { images, std } = snapshotTime(path);
  if (images === undefined || std === undefined) {
    throw new Error(
      `openSnapshot ${path}: its name does not tell time and length, as network-snapshot-0008388-0.050.pkl`,
    );
  }
  const read = async () => decodePublishedSnapshot(await readFile(path), path);
  return {
    path,
    images,
    std,
    async describe() {
      const { copied, description } = await read();
      return { copied, metadata: networkMetadata(description) };
    },
    load: async () => (await read()).values,
  };
}

/** Options of {@link saveSnapshots}. */
export interface SaveSnapshotsOptions extends EncodeSnapshotOptions {
  /** What file names start with. @defaultValue 'network-snapshot' */
  readonly prefix?: string;
  /** Whatever should travel with the values, such as what the model is made with. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes the averages of any model as they are now, one file for each length: `network-snapshot-0000004-0.050.safetensors`.
 * Names that are not averaged are marked as copied.
 *
 * @returns the files' paths.
 * @throws when a file cannot be written; whole files stay whole.
 * @example
 * ```ts
 * const ema = new PowerFunctionEma(new Linear(2, 1));
 * ema.update(4096);
 * const paths = await saveSnapshots(ema, 'out/run', { dtype: 'float16' });
 * paths.length; // 2
 * ```
 */
export async function saveSnapshots(
  ema: PowerFunctionEma,
  folder: string,
  options: SaveSnapshotsOptions = {},
): Promise<string[]> {
  const { images } = ema;
  const { prefix, metadata = {}, dtype = 'float32' } = options;
  const averaged = new Set(ema.averaged);
  const paths: string[] = [];
  for (const std of ema.stds) {
    const values = await ema.snapshot(std);
    const copied = [...values.keys()].filter((name) => !averaged.has(name));
    const path = join(folder, snapshotName({ images, std }, prefix));
    await writeFileAtomically(path, encodeSnapshot({ images, std, values, copied, metadata }, { dtype }));
    paths.push(path);
  }
  return paths;
}
