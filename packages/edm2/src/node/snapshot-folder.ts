import { join } from 'node:path';
import { type NamedSnapshot, snapshotsIn } from './snapshot-names.ts';

/** Which average of a folder is wanted. */
export interface SnapshotChoice {
  /** Length of the average. @defaultValue the longest that the folder has of the newest state */
  readonly std?: number;
}

/**
 * Path of the newest snapshot in a folder, or in its folder `snapshots`.
 *
 * @throws one line when there is none, or none of the length asked for.
 */
export async function newestSnapshot(folder: string, { std }: SnapshotChoice = {}): Promise<string> {
  const [own, inner] = [await snapshotsIn(folder), await snapshotsIn(join(folder, 'snapshots')).catch(() => [])];
  const [place, all] = own.length > 0 ? [folder, own] : [join(folder, 'snapshots'), inner];
  if (all.length === 0) {
    throw new Error(`${folder}: holds no snapshot, such as network-snapshot-0008388-0.050.safetensors`);
  }
  const fitting = std === undefined ? all : all.filter((one) => one.std.toFixed(3) === std.toFixed(3));
  if (fitting.length === 0) {
    const present = [...new Set(all.map((one) => one.std.toFixed(3)))].sort().join(', ');
    throw new Error(`${folder}: has no average of length ${std}. It has ${present}; reconstruct others`);
  }
  const newest = fitting.reduce((best, one) => (isNewer(one, best) ? one : best));
  return join(place, newest.name);
}

/** Of one moment, the longer average; of two files of one average, the safetensors file, which stands behind the pkl. */
function isNewer(one: NamedSnapshot, best: NamedSnapshot): boolean {
  return one.time !== best.time ? one.time > best.time : one.std >= best.std;
}
