import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeSnapshot, type EmaSnapshot, reconstruct } from '../ema/index.ts';
import { describedNetwork } from '../network/network-metadata.ts';
import type { PrecondOptions } from '../network/precondition.ts';
import { emaStds, guidance, mainStd, postHocStd } from './recipe.ts';
import { snapshotFiles } from './snapshot-files.ts';

/** A set of weights to paint with. */
export interface Painter {
  readonly std: number;
  /** Images that the network had seen. */
  readonly images: number;
  readonly values: EmaSnapshot['values'];
}

/** All averages at the end of training. */
export interface Painters {
  readonly network: PrecondOptions;
  /** Images that the network had seen. */
  readonly images: number;
  /** The seed of the training run, which fixes the images that it held out. */
  readonly trainingSeed: number;
  /** Files that were read. */
  readonly snapshots: number;
  /** Shortest average first, the reconstructed one among them. */
  readonly painters: readonly Painter[];
  /** Weights of earlier in the same training, to move away from; undefined where no snapshot is that old. */
  readonly guide: Painter | undefined;
}

/**
 * Reads the snapshots of a folder of results and reconstructs a third EMA length from them.
 *
 * @throws when the folder holds no snapshots, or one cannot be read.
 */
export async function readPainters(folder: string): Promise<Painters> {
  const snapshots = await readSnapshots(folder);
  const newest = snapshots.at(-1) as EmaSnapshot;
  const { images, copied = [] } = newest;
  const stored = snapshots.map((snapshot) => ({
    images: snapshot.images,
    std: snapshot.std,
    load: () => snapshot.values,
  }));
  const [values] = await reconstruct(stored, [{ images, std: postHocStd }], { copied });
  const tracked = snapshots.filter((snapshot) => snapshot.images === images);
  const painters: Painter[] = [...tracked, { std: postHocStd, images, values: values as Painter['values'] }];
  painters.sort((a, b) => a.std - b.std);
  const trainingSeed = Number(newest.metadata?.seed ?? 0);
  return {
    network: describedNetwork(newest.metadata ?? {}, 'quickstart: the newest snapshot').options,
    images,
    trainingSeed,
    snapshots: snapshots.length,
    painters,
    guide: guideAmong(snapshots, images),
  };
}

/** The snapshot of the main average that is nearest to the share of the training that guides have. */
function guideAmong(snapshots: readonly EmaSnapshot[], images: number): Painter | undefined {
  const distance = (snapshot: EmaSnapshot): number => Math.abs(snapshot.images / images - guidance.share);
  const earlier = snapshots.filter((snapshot) => snapshot.std === mainStd && snapshot.images < images);
  return earlier.sort((a, b) => distance(a) - distance(b))[0];
}

/** All snapshots of a folder of results, oldest first. */
async function readSnapshots(folder: string): Promise<EmaSnapshot[]> {
  const files = await snapshotFiles(folder);
  if (files.length < emaStds.length) {
    throw new Error(
      `quickstart: ${join(folder, 'snapshots')} holds no snapshots of both averages. Train first: leave --samples-only out`,
    );
  }
  return Promise.all(files.map(async (path) => decodeSnapshot(await readFile(path), path)));
}
