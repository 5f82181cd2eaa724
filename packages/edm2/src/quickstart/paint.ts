import { join } from 'node:path';
import { encodePng } from '@evenkeel/formats';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { Generator, oneHot, tensor } from '@evenkeel/tensor';
import type { ProgressLine } from '../cli/progress-line.ts';
import { imageGrid, latentsToPixels, type PictureSet } from '../data/index.ts';
import { stateDictOf } from '../ema/index.ts';
import { Precond, type PrecondOptions } from '../network/precondition.ts';
import { sample } from '../sample/sample.ts';
import { type Painter, readPainters } from './painters.ts';
import { guidance, mainBlocks, mainStd, postHocStd } from './recipe.ts';
import type { SamplingPlan } from './sampling-plan.ts';

/** Blocks of the main average that `samples.png` shows. */
const shownBlocks = 2;

/** What a painting run needs to know. */
export interface PaintRequest {
  readonly dataset: PictureSet;
  readonly folder: string;
  readonly seed: number;
  readonly plan: SamplingPlan;
  /** `performance.now()` by which the last block should be painted. */
  readonly deadline: number;
  readonly line: ProgressLine;
  /** Stops after the sampler's step under way. */
  readonly signal: AbortSignal;
}

/** What was painted. */
export interface PaintReport {
  readonly network: PrecondOptions;
  /** Images that the network had seen. */
  readonly images: number;
  readonly snapshots: number;
  /** The lengths painted with, in the order of their blocks. */
  readonly stds: readonly number[];
  readonly pictures: number;
  readonly samplerSteps: number;
  /** What samples were guided away from, and how far; undefined without guidance. */
  readonly guidance: Guidance | undefined;
  readonly seconds: number;
}

/** Autoguidance by an earlier state of the same network. */
export interface Guidance {
  readonly weight: number;
  /** Images that the guide had seen. */
  readonly images: number;
}

/** The pictures of the main average. */
export interface Samples {
  /** Pixels `[C, R, R]` of each. */
  readonly pictures: readonly Uint8Array[];
  /** The class that was asked for. */
  readonly labels: readonly number[];
  readonly std: number;
  /** Fixes which images were trained on. */
  readonly trainingSeed: number;
}

/**
 * Samples every class with the main average and with two others, one of them reconstructed from the snapshots in the
 * folder. In `samples.png` a row is a class: a real picture, samples of the main average, then a block of each other one,
 * from the same noise as the first.
 *
 * @throws when the folder holds no snapshots, or one cannot be read; the signal's reason when it stops.
 */
export async function paint(request: PaintRequest): Promise<{ report: PaintReport; samples: Samples }> {
  const { dataset, folder, plan, deadline, line, signal } = request;
  const { columns, steps } = plan;
  signal.throwIfAborted();
  const start = performance.now();
  const { network, images, snapshots, trainingSeed, painters, ...earlier } = await readPainters(folder);
  const guide = plan.guided ? earlier.guide : undefined;
  line.print(`EMA ${postHocStd} reconstructed from ${snapshots} snapshots`);
  const main = painters.find(({ std }) => std === mainStd) ?? (painters[0] as Painter);
  const others = painters.filter((painter) => painter !== main);

  using net = new Precond(network);
  using guideNet = guide && new Precond(network);
  if (guide) guideNet?.loadStateDict(stateDictOf(guide.values));
  const blocksOf = new Map<Painter, Uint8Array[][]>(painters.map((painter) => [painter, []]));
  const add = async (painter: Painter): Promise<void> => {
    const blocks = blocksOf.get(painter) as Uint8Array[][];
    blocks.push(await paintBlock({ net, guide: guideNet, painter, block: blocks.length }, request));
  };
  for (const painter of [main, ...others]) await add(painter);
  for (let last = 0; blocksOf.get(main)!.length < mainBlocks; ) {
    const before = performance.now();
    if (before + last > deadline) break;
    await add(main);
    last = performance.now() - before;
  }

  const shown = [main, ...others].map((painter) => (blocksOf.get(painter) as Uint8Array[][]).slice(0, shownBlocks));
  await writeFileAtomically(join(folder, 'samples.png'), encodePng(grid(dataset, shown, columns)));
  const mine = blocksOf.get(main) as Uint8Array[][];
  const report = {
    network,
    images,
    snapshots,
    stds: [main, ...others].map(({ std }) => std),
    pictures: [...blocksOf.values()].flat(2).length,
    samplerSteps: steps,
    guidance: guide && { weight: guidance.weight, images: guide.images },
    seconds: (performance.now() - start) / 1000,
  };
  const labels = mine.flatMap((block) => block.map((_, i) => Math.floor(i / columns)));
  return { report, samples: { pictures: mine.flat(), labels, std: main.std, trainingSeed } };
}

interface Block {
  readonly net: Precond;
  readonly guide: Precond | undefined;
  readonly painter: Painter;
  /** Its number among those of the painter. */
  readonly block: number;
}

/** `columns` pictures of each class, class after class. */
async function paintBlock({ net, guide, painter, block }: Block, request: PaintRequest): Promise<Uint8Array[]> {
  const { dataset, seed, plan, line, signal } = request;
  const { columns } = plan;
  const classes = dataset.classNames.length;
  const labels = Int32Array.from({ length: classes * columns }, (_, i) => Math.floor(i / columns));
  net.loadStateDict(stateDictOf(painter.values));
  // The same noise for every length: what differs between their first blocks is the average alone.
  const shape = [labels.length, dataset.channels, dataset.resolution, dataset.resolution];
  const latents = await sample(net, new Generator(seed).fork(block).normal(shape), {
    labels: oneHot(tensor(labels), classes),
    steps: plan.steps,
    ...(guide && { guide, guidance: guidance.weight }),
    onStep({ step, steps }) {
      signal.throwIfAborted();
      line.update(() => `EMA ${painter.std.toFixed(2)}, block ${block + 1}: sampling step ${step} of ${steps}`);
    },
  });
  return split(latentsToPixels(await latents.data()), labels.length);
}

function split(pixels: Uint8Array, count: number): Uint8Array[] {
  const size = pixels.length / count;
  return Array.from({ length: count }, (_, i) => pixels.subarray(i * size, (i + 1) * size));
}

/** One row a class: a real picture, then behind an empty place each average's blocks. */
function grid(dataset: PictureSet, shown: readonly Uint8Array[][][], columns: number) {
  const empty = new Uint8Array(dataset.channels * dataset.resolution ** 2).fill(255);
  const rows = dataset.classNames.map((_, label) => {
    const real = Array.from({ length: dataset.length }, (__, i) => i).find((i) => dataset.label(i) === label) as number;
    const ofClass = (block: Uint8Array[]) => block.slice(label * columns, (label + 1) * columns);
    return [dataset.image(real), ...shown.flatMap((blocks) => [empty, ...blocks.flatMap(ofClass)])];
  });
  return imageGrid(rows.flat(), { columns: rows[0]!.length, scale: 4, gap: 4 });
}
