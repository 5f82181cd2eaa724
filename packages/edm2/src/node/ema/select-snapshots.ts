import { join } from 'node:path';
import { snapshotName } from '../../ema/snapshot.ts';
import { snapshotTime } from '../../published/snapshot-time.ts';
import { type NamedSnapshot, snapshotsIn } from '../snapshot-names.ts';
import { openSnapshot, type SnapshotFile } from './snapshot-file.ts';

/** Which snapshots of a folder to take. */
export interface SnapshotSelection {
  /** What their names start with, before time and length. @defaultValue 'network-snapshot' where there are any, else what all have */
  readonly prefix?: string;
  /** Lengths, as names give them. @defaultValue all */
  readonly stds?: readonly number[];
  /** Time in thousands of images, as names give it, up to which snapshots count. @defaultValue that of the newest */
  readonly kimg?: number;
  /** Reads one. @defaultValue {@link openSnapshot} */
  readonly open?: (path: string) => Promise<SnapshotFile>;
}

/** Snapshots, and the time that averages are to be made for. */
export interface SelectedSnapshots {
  readonly snapshots: readonly SnapshotFile[];
  /** Images of the newest one. */
  readonly images: number;
  /** The same in thousands, as in its name. */
  readonly kimg: number;
}

/** What training names them. */
const usualPrefix = 'network-snapshot';

/**
 * Finds the snapshots of one training in a folder, up to a time at which there is one, and opens them.
 *
 * @throws Error, one line, when there are none, prefixes differ, the time is not that of a snapshot, two files are of the
 * same time and length, or one is damaged.
 * @example
 * ```ts
 * const ema = new PowerFunctionEma(new Linear(2, 1));
 * for (const images of [1024, 2048, 4096]) {
 *   ema.update(images);
 *   await saveSnapshots(ema, 'out/select');
 * }
 * const { snapshots, images } = await selectSnapshots('out/select', { kimg: 2 });
 * images; // 2048
 * snapshots.length; // 4
 * ```
 */
export async function selectSnapshots(folder: string, selection: SnapshotSelection = {}): Promise<SelectedSnapshots> {
  const fail = (message: string) => new Error(`${folder}: ${message}`);
  const { stds, open = openSnapshot } = selection;
  const all = await snapshotsIn(folder);
  const prefix = selection.prefix ?? onlyPrefix(all, fail);
  const lengths = stds?.map((std) => std.toFixed(3));
  // What was saved before the first step is no average.
  const later = all.filter((one) => one.prefix === prefix && snapshotTime(one.name).images !== 0);
  const named = later.filter(({ std }) => lengths?.includes(std.toFixed(3)) ?? true);
  if (named.length === 0) {
    const which = stds === undefined ? '' : ' of these lengths';
    throw fail(`has no snapshots${which} named as ${snapshotName({ images: 8_388_608, std: 0.05 }, prefix)}`);
  }
  const times = [...new Set(named.map(({ time }) => time))].sort((a, b) => a - b);
  const kimg = selection.kimg ?? (times.at(-1) as number);
  if (!times.includes(kimg)) throw fail(`has no snapshot at ${kimg} kimg. There are some at ${times.join(', ')}`);
  const wanted = named.filter((one) => one.time <= kimg).sort((a, b) => a.time - b.time || a.std - b.std);
  const snapshots: SnapshotFile[] = [];
  for (const { name } of wanted) snapshots.push(await open(join(folder, name)));
  refuseDuplicates(snapshots, fail);
  return { snapshots, kimg, images: Math.max(...snapshots.map(({ images }) => images)) };
}

function onlyPrefix(all: readonly NamedSnapshot[], fail: (message: string) => Error): string {
  const prefixes = [...new Set(all.map(({ prefix }) => prefix))].sort();
  // Averages that were made of snapshots may lie beside them.
  if (prefixes.includes(usualPrefix)) return usualPrefix;
  if (prefixes.length > 1) throw fail(`has snapshots named ${prefixes.join('-… and ')}-…. Say which to take`);
  return prefixes[0] ?? usualPrefix;
}

function refuseDuplicates(snapshots: readonly SnapshotFile[], fail: (message: string) => Error): void {
  const seen = new Map<string, string>();
  for (const { path, images, std } of snapshots) {
    const key = `${images} ${std}`;
    const other = seen.get(key);
    if (other !== undefined) {
      throw fail(`${other} and ${path} are both of ${images} images and length ${std}. Take one away`);
    }
    seen.set(key, path);
  }
}
