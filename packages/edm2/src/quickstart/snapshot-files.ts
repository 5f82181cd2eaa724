import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Name of a snapshot's file: images seen, then the average's length. */
export function snapshotFile(folder: string, images: number, std: number): string {
  return join(folder, 'snapshots', `${String(images).padStart(7, '0')}-${std.toFixed(3)}.safetensors`);
}

/** All snapshots of a folder of results, oldest first. */
export async function snapshotFiles(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'snapshots')).catch(() => []);
  const own = names.filter((name) => /^\d{7,}-\d\.\d{3}\.safetensors$/.test(name)).sort();
  return own.map((name) => join(folder, 'snapshots', name));
}

/** Removes the snapshots of an earlier run, and nothing else: the folder is the user's. */
export async function removeSnapshots(folder: string): Promise<void> {
  for (const path of await snapshotFiles(folder)) await rm(path);
}
