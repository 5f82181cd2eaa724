import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { lineChart } from '../plot/line-chart.ts';
import type { Judgement } from './judge.ts';
import type { QuickstartOptions } from './options.ts';
import type { PaintReport } from './paint.ts';
import { networkFor } from './recipe.ts';
import type { TrainingReport } from './train.ts';

/** What was found, in lines. */
export function verdict({ agreement, nearestTrainingImage }: Judgement): string[] {
  const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;
  const classes = Object.entries(agreement.classes).map(([name, share]) => `${name} ${percent(share)}`);
  const { samples, heldOut } = nearestTrainingImage;
  return [
    `a classifier sees the class asked for in ${percent(agreement.overall)} of ${agreement.samplesPerClass * classes.length} samples: ${classes.join(', ')}`,
    `nearest training picture: ${samples.toFixed(0)} of 255 away from samples, ${heldOut.toFixed(0)} from pictures held out`,
  ];
}

/** `loss.svg`: every step, and a mean that follows. */
export function lossChart({ losses }: TrainingReport): string {
  let mean = losses[0]?.[1] ?? 0;
  const smooth = losses.map(([images, loss], i): [number, number] => {
    mean += (loss - mean) / Math.min(i + 1, 50);
    return [images, mean];
  });
  return lineChart(
    [
      { label: 'each step', points: losses, color: '#1f6feb', faint: true },
      { label: 'mean of 50 steps', points: smooth, color: '#1f6feb' },
    ],
    { title: 'Training loss on emoji16', xLabel: 'images seen', yLabel: 'loss, uncertainty-weighted' },
  );
}

export interface SummaryParts {
  readonly options: QuickstartOptions;
  readonly backend: string;
  /** Undefined where nothing is known of the training. */
  readonly training: unknown;
  /** Undefined where there was no time for it. */
  readonly painting?: PaintReport;
  readonly judgement?: Judgement;
  readonly seconds: number;
}

/** What `summary.json` holds. */
export function summary({ options, backend, training, painting, judgement, seconds }: SummaryParts): string {
  const machine = {
    platform: process.platform,
    architecture: process.arch,
    node: process.version,
    cores: availableParallelism(),
  };
  return `${JSON.stringify({ backend, machine, network: painting?.network ?? networkFor(options.backend), options, training, painting: painting ?? null, ...judgement, seconds }, null, 2)}\n`;
}

/** What the summary says of a training run. */
export function withoutCurve({ losses, ...numbers }: TrainingReport) {
  return { ...numbers, finalLoss: meanOfLast(losses) };
}

/** What the folder's summary says of the training that its snapshots are of, and of the backend that painted last. */
export async function earlierRun(folder: string): Promise<EarlierRun> {
  try {
    return JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8')) as EarlierRun;
  } catch {
    return {};
  }
}

/** As far as it is known. */
export interface EarlierRun {
  readonly training?: { readonly imagesPerSecond?: number };
  readonly options?: { readonly backend?: string };
}

function meanOfLast(losses: TrainingReport['losses']): number {
  const last = losses.slice(-50);
  return last.reduce((sum, [, loss]) => sum + loss, 0) / last.length;
}
