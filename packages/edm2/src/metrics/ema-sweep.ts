import { type EmaProfile, reconstruct, type StoredEma, stateDictOf } from '../ema/index.ts';
import type { Precond } from '../network/precondition.ts';
import type { GenerateOptions } from '../sample/generate.ts';
import { agreement } from './agreement.ts';
import type { Classifier } from './classifier.ts';
import { StatisticsCollector, type StatisticsCollectorOptions } from './collect.ts';
import { collectGenerated } from './collect-generated.ts';
import { compareStatistics, type MetricValue } from './compare.ts';
import { classify } from './emoji16-classifier.ts';
import type { ImageSetStatistics } from './reference.ts';

/** Options of {@link sweepEmaLengths}. */
export interface EmaSweepOptions extends GenerateOptions, Pick<StatisticsCollectorOptions, 'metrics' | 'extractors'> {
  /** Snapshots of one training, of at least two lengths. */
  readonly snapshots: readonly StoredEma[];
  /** Names that snapshots keep but do not average. */
  readonly copied?: Iterable<string>;
  /** Lengths to make and measure. */
  readonly stds: readonly number[];
  /** Which pictures each length makes: the same for all, so that what differs is the average. */
  readonly seeds: readonly number[];
  readonly reference: ImageSetStatistics;
  /** Says how many pictures show the class asked for; its classes must be the network's. */
  readonly classifier?: Classifier;
  /** Told of lengths that the snapshots do not span. @defaultValue `console.warn` */
  readonly onWarning?: (message: string) => void;
  /** Called before each snapshot is read, and after each batch of pictures. */
  readonly onProgress?: (progress: { readonly std?: number; readonly pictures?: number }) => void;
}

/** A length and what its pictures are worth. */
export interface EmaSweepRow {
  /** Length, relative to training. */
  readonly std: number;
  readonly values: readonly MetricValue[];
  /** Share of pictures that show the class asked for, over all pictures; undefined without a classifier or classes. */
  readonly agreement: number | undefined;
}

/** So many averages are in memory at a time. */
const together = 8;

/**
 * Makes averages of several lengths from the snapshots of one training, paints with each, and measures the pictures: how
 * quality depends on the length of the average.
 *
 * @param net a network that the snapshots fit; its weights are replaced.
 * @throws when snapshots do not fit, and what `compareStatistics` throws.
 *
 * Source: arXiv 2312.02696, section 3.3 and figure 5.
 *
 * @example
 * ```ts
 * using net = new Precond({ imgResolution: 16, imgChannels: 3, labelDim: 10, modelChannels: 8, channelMult: [1], numBlocks: 1 });
 * const ema = new PowerFunctionEma(net, { stds: [0.05, 0.1] });
 * ema.update(1024); // after each step of training
 * const snapshots: StoredEma[] = [];
 * for (const std of ema.stds) {
 *   const values = await ema.snapshot(std);
 *   snapshots.push({ images: ema.images, std, load: () => values });
 * }
 *
 * using classifier = await loadEmoji16Classifier();
 * const measured = { metrics: [metrics.get('fd_small')!], extractors: new Map([['emoji16', emoji16Features(classifier)]] as const) };
 * const collector = new StatisticsCollector(measured);
 * await collectDataset(await loadEmoji16(), collector, { num: 100 });
 * const options = { ...measured, snapshots, stds: [0.06, 0.08], seeds: [0, 1, 2], reference: collector.result(), steps: 2 };
 * for await (const { std, values } of sweepEmaLengths(net, options)) console.log(std, values[0]?.value);
 * ```
 */
export async function* sweepEmaLengths(
  net: Precond,
  options: EmaSweepOptions,
): AsyncGenerator<EmaSweepRow, void, void> {
  const { snapshots, copied = [], stds, seeds, reference, classifier, onProgress, onWarning, ...rest } = options;
  const { metrics, extractors, ...generating } = rest;
  const images = Math.max(...snapshots.map((snapshot) => snapshot.images));
  for (let from = 0; from < stds.length; from += together) {
    const targets: EmaProfile[] = stds.slice(from, from + together).map((std) => ({ images, std }));
    const averages = await reconstruct(snapshots, targets, {
      copied,
      onSnapshot: () => onProgress?.({}),
      ...(onWarning && { onWarning }),
    });
    for (const [i, { std }] of targets.entries()) {
      net.loadStateDict(stateDictOf(averages[i] as NonNullable<(typeof averages)[number]>));
      const collector = new StatisticsCollector({ metrics, extractors });
      const [pictures, labels]: [Uint8Array[], number[]] = [[], []];
      await collectGenerated(net, collector, seeds, {
        ...generating,
        onImages(done, batch) {
          if (classifier !== undefined && batch.labels !== null) {
            pictures.push(...batch.images);
            labels.push(...batch.labels);
          }
          onProgress?.({ std, pictures: done });
        },
      });
      const values = compareStatistics(collector.result(), reference, metrics);
      yield { std, values, agreement: await shareRight(classifier, pictures, labels) };
    }
  }
}

async function shareRight(
  classifier: Classifier | undefined,
  pictures: readonly Uint8Array[],
  labels: readonly number[],
): Promise<number | undefined> {
  if (classifier === undefined || pictures.length === 0) return undefined;
  const guesses: number[] = [];
  for (let from = 0; from < pictures.length; from += 64) {
    guesses.push(...(await classify(classifier, pictures.slice(from, from + 64))));
  }
  const names = Array.from({ length: Math.max(...labels) + 1 }, (_, label) => String(label));
  return agreement(guesses, labels, names).overall;
}
