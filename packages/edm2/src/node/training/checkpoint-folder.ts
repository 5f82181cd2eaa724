import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { kimgName } from '../../ema/kimg.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';

/** Of a run's folder: what {@link newestCheckpoint} finds. */
export interface FoundCheckpoint extends Checkpoint {
  readonly path: string;
}

/** Options of {@link newestCheckpoint}. */
export interface NewestCheckpointOptions {
  /** Told of each checkpoint that is damaged and so passed over, in one line. */
  readonly onDamaged?: (message: string, path: string) => void | Promise<void>;
}

/**
 * The newest whole checkpoint of a run's folder; undefined where there is none. Damaged ones are passed over.
 *
 * @example
 * ```ts
 * const checkpoint = await newestCheckpoint('out/my-run', { onDamaged: console.warn });
 * checkpoint?.state.images; // undefined
 * ```
 */
export async function newestCheckpoint(
  folder: string,
  { onDamaged = () => undefined }: NewestCheckpointOptions = {},
): Promise<FoundCheckpoint | undefined> {
  for (const path of (await checkpointPaths(folder)).reverse()) {
    const bytes = await readFile(path);
    try {
      return { ...decodeCheckpoint(bytes, path), path };
    } catch (error) {
      await onDamaged((error as Error).message, path);
    }
  }
  return undefined;
}

/** Writes a checkpoint, whole or not at all, then removes all but the `kept` newest. Gives its path. */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint, kept: number): Promise<string> {
  const path = join(folder, `training-state-${kimgName(checkpoint.state.images)}.safetensors`);
  await writeFileAtomically(path, encodeCheckpoint(checkpoint));
  for (const old of (await checkpointPaths(folder)).slice(0, -kept)) await rm(old, { force: true });
  return path;
}

/** Oldest first. */
async function checkpointPaths(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const own = names.filter((name) => /^training-state-\d{7,}\.safetensors$/.test(name));
  return own.sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).map((name) => join(folder, name));
}
