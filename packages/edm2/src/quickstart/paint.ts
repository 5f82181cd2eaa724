import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodePng } from '@evenkeel/formats';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { Generator, oneHot, tensor } from '@evenkeel/tensor';
import { type ImageDataset, imageGrid, latentsToPixels } from '../data/index.ts';
import { decodeSnapshot, type EmaSnapshot, reconstruct, stateDictOf } from '../ema/index.ts';
import { Precond, type PrecondOptions } from '../network/precondition.ts';
import { sample } from '../sample/sample.ts';
import type { ProgressLine } from './progress-line.ts';
import { emaStds, postHocStd, samplerSteps } from './recipe.ts';
import { snapshotFiles } from './snapshot-files.ts';

/** A set of weights to paint with. */
interface Painter {
  readonly std: number;
  readonly values: EmaSnapshot['values'];
}

/** What a painting run needs to know. */
export interface PaintRequest {
  readonly dataset: ImageDataset;
  readonly folder: string;
  readonly seed: number;
  /** Pictures of each class for each average. */
  readonly columns: number;
  readonly line: ProgressLine;
  /** Stops after the sampler's step under way. */
  readonly signal: AbortSignal;
}

/** What was painted. */
export interface PaintReport {
  /** Images that the network had seen. */
  readonly images: number;
  readonly snapshots: number;
  readonly stds: readonly number[];
  readonly pictures: number;
  readonly samplerSteps: number;
  readonly seconds: number;
}

/**
 * Reconstructs a third EMA length from the snapshots in the folder and samples every class with each of the three.
 * In `samples.png` a row is a class: a real picture, then samples with each length, shortest first.
 *
 * @throws when the folder holds no snapshots, or one cannot be read; the signal's reason when it stops.
 */
export async function paint(request: PaintRequest): Promise<PaintReport> {
  const { dataset, folder, seed, columns, line, signal } = request;
  signal.throwIfAborted();
  const start = performance.now();
  const snapshots = await readSnapshots(folder);
  const newest = snapshots.at(-1) as EmaSnapshot;
  const { images, copied = [] } = newest;
  const stored = snapshots.map((snapshot) => ({
    images: snapshot.images,
    std: snapshot.std,
    load: () => snapshot.values,
  }));
  line.print(`EMA ${postHocStd} reconstructed from ${snapshots.length} snapshots`);
  const [values] = await reconstruct(stored, [{ images, std: postHocStd }], { copied });
  const tracked = snapshots.filter((snapshot) => snapshot.images === images);
  const painters: Painter[] = [...tracked, { std: postHocStd, values: values as Painter['values'] }].sort(
    (a, b) => a.std - b.std,
  );

  using net = new Precond(networkOf(newest));
  const classes = dataset.classNames.length;
  const labels = Int32Array.from({ length: classes * columns }, (_, i) => Math.floor(i / columns));
  const painted: Uint8Array[][] = [];
  for (const { std, values: weights } of painters) {
    net.loadStateDict(stateDictOf(weights));
    // The same noise for every length: what differs between the blocks is the average alone.
    const noise = new Generator(seed).normal([labels.length, dataset.channels, dataset.resolution, dataset.resolution]);
    const latents = await sample(net, noise, {
      labels: oneHot(tensor(labels), classes),
      steps: samplerSteps,
      onStep({ step, steps }) {
        signal.throwIfAborted();
        line.update(() => `EMA ${std.toFixed(2)}: sampling step ${step} of ${steps}`);
      },
    });
    painted.push(split(latentsToPixels(await latents.data()), labels.length));
  }
  const grid = imageGrid(rows(dataset, painted, columns), {
    columns: 1 + painters.length * (columns + 1),
    scale: 4,
    gap: 4,
  });
  await writeFileAtomically(join(folder, 'samples.png'), encodePng(grid));
  return {
    images,
    snapshots: snapshots.length,
    stds: painters.map(({ std }) => std),
    pictures: painters.length * labels.length,
    samplerSteps,
    seconds: (performance.now() - start) / 1000,
  };
}

/** All snapshots of a folder, oldest first. */
async function readSnapshots(folder: string): Promise<EmaSnapshot[]> {
  const files = await snapshotFiles(folder);
  if (files.length < emaStds.length) {
    throw new Error(
      `quickstart: ${join(folder, 'snapshots')} holds no snapshots of both averages. Train first: leave --samples-only out`,
    );
  }
  return Promise.all(files.map(async (path) => decodeSnapshot(await readFile(path), path)));
}

function networkOf({ metadata }: EmaSnapshot): PrecondOptions {
  try {
    return JSON.parse(metadata?.network ?? '') as PrecondOptions;
  } catch {
    throw new Error('quickstart: the newest snapshot does not say which network it is of. Train again');
  }
}

function split(pixels: Uint8Array, count: number): Uint8Array[] {
  const size = pixels.length / count;
  return Array.from({ length: count }, (_, i) => pixels.subarray(i * size, (i + 1) * size));
}

/** One row a class: a real picture, then each block of samples behind an empty place. */
function rows(dataset: ImageDataset, painted: readonly Uint8Array[][], columns: number): Uint8Array[] {
  const empty = new Uint8Array(dataset.channels * dataset.resolution ** 2).fill(255);
  return dataset.classNames.flatMap((_, label) => {
    const real = Array.from({ length: dataset.length }, (__, i) => i).find((i) => dataset.label(i) === label) as number;
    const blocks = painted.flatMap((samples) => [empty, ...samples.slice(label * columns, (label + 1) * columns)]);
    return [dataset.image(real), ...blocks];
  });
}
