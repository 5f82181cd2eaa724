import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeSnapshot, type StoredEma } from '../../ema/index.ts';
import { describedNetwork, type NetworkDescription } from '../../network/network-metadata.ts';

/** The snapshots of a training, and the network that they are of. */
export interface RunSnapshots {
  readonly snapshots: readonly StoredEma[];
  readonly copied: readonly string[];
  /** Images at the newest one. */
  readonly images: number;
  readonly description: NetworkDescription;
}

/**
 * Finds the snapshots in the folder of a run, or in its folder `snapshots`; each is read when it is averaged.
 *
 * @throws Error, one line, when there are fewer than two, or one is damaged.
 */
export async function runSnapshots(folder: string): Promise<RunSnapshots> {
  const files = [...(await filesIn(folder)), ...(await filesIn(join(folder, 'snapshots')))];
  const opened = await Promise.all(
    files.map(async (path) => {
      const read = async () => decodeSnapshot(await readFile(path), path);
      const { values, ...about } = await read();
      return { ...about, path, load: async () => (await read()).values };
    }),
  );
  const newest = opened.reduce<(typeof opened)[number] | undefined>(
    (best, one) => (best && best.images > one.images ? best : one),
    undefined,
  );
  if (newest === undefined || opened.length < 2) {
    throw new Error(
      `${folder}: holds ${opened.length} snapshots named like network-snapshot-0008388-0.050.safetensors, needs 2 at least`,
    );
  }
  const { images, copied = [], metadata = {}, path } = newest;
  return { snapshots: opened, copied, images, description: describedNetwork(metadata, path) };
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => /^(?:.*-)?\d{7,}-\d\.\d{3}\.safetensors$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}
