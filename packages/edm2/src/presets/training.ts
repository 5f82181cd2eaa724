import type { Edm2LossOptions } from '../loss.ts';
import type { PrecondOptions } from '../network/precondition.ts';
import type { LearningRateOptions } from '../schedule.ts';
import { smallPresets } from './small.ts';

/** Everything that a training run is told, data and folder apart. */
export interface TrainingPreset {
  readonly name: string;
  /** What it was made for; a run takes resolution, channels and classes from its data. */
  readonly madeFor: Pick<PrecondOptions, 'imgResolution' | 'imgChannels' | 'labelDim'>;
  /** The network, apart from what the data decides. */
  readonly network: Omit<PrecondOptions, 'imgResolution' | 'imgChannels' | 'labelDim' | 'generator'>;
  /** Images seen in all. */
  readonly duration: number;
  /** Images of a step. */
  readonly batchSize: number;
  readonly loss: Required<Edm2LossOptions>;
  readonly learningRate: Required<Omit<LearningRateOptions, 'batchSize'>>;
  /** Which images come next: shuffled passes over all of them, or every class equally often. */
  readonly draws: 'shuffled' | 'class-balanced';
  /** Lengths of the averages that are tracked. */
  readonly emaStds: readonly number[];
  /** Images between snapshots of the averages. */
  readonly snapshotImages: number;
  /** Images between checkpoints. */
  readonly checkpointImages: number;
  /** Images between status lines. */
  readonly statusImages: number;
  readonly fp16: boolean;
}

const [Ki, Mi] = [2 ** 10, 2 ** 20];

interface Row {
  /** In Mi images. */
  readonly duration: number;
  readonly channels: number;
  readonly rate: number;
  readonly dropout?: number;
}

/** Latents of 512-pixel ImageNet. */
const img512: Readonly<Record<string, Row>> = {
  xxs: { duration: 2048, channels: 64, rate: 0.017 },
  xs: { duration: 2048, channels: 128, rate: 0.012 },
  s: { duration: 2048, channels: 192, rate: 0.01 },
  m: { duration: 2048, channels: 256, rate: 0.009, dropout: 0.1 },
  l: { duration: 1792, channels: 320, rate: 0.008, dropout: 0.1 },
  xl: { duration: 1280, channels: 384, rate: 0.007, dropout: 0.1 },
  xxl: { duration: 896, channels: 448, rate: 0.0065, dropout: 0.1 },
};

/** Pixels of 64-pixel ImageNet. */
const img64: Readonly<Record<string, Row>> = {
  xs: { duration: 1024, channels: 128, rate: 0.012 },
  s: { duration: 1024, channels: 192, rate: 0.01 },
  m: { duration: 2048, channels: 256, rate: 0.009, dropout: 0.1 },
  l: { duration: 1024, channels: 320, rate: 0.008, dropout: 0.1 },
  xl: { duration: 640, channels: 384, rate: 0.007, dropout: 0.1 },
};

interface Family {
  readonly imgChannels: number;
  readonly decayBatches: number;
  readonly pMean: number;
  readonly pStd: number;
}

function published(prefix: string, rows: Readonly<Record<string, Row>>, family: Family): TrainingPreset[] {
  const { imgChannels, decayBatches, pMean, pStd } = family;
  return Object.entries(rows).map(([size, { duration, channels, rate, dropout = 0 }]) => ({
    name: `${prefix}-${size}`,
    madeFor: { imgResolution: 64, imgChannels, labelDim: 1000 },
    network: { modelChannels: channels, dropout },
    duration: duration * Mi,
    batchSize: 2048,
    loss: { pMean, pStd, sigmaData: 0.5 },
    learningRate: { referenceRate: rate, decayBatches, rampupImages: 10_000_000 },
    draws: 'shuffled',
    emaStds: [0.05, 0.1],
    snapshotImages: 8 * Mi,
    checkpointImages: 128 * Mi,
    statusImages: 128 * Ki,
    fp16: true,
  }));
}

/**
 * Training runs by name: those of the paper, `edm2-img512-xxs` to `-xxl` and `edm2-img64-xs` to `-xl`, and small ones that
 * train on one machine, `small-16`, `small-28` and `small-64`.
 *
 * Source: arXiv 2312.02696, table 6.
 *
 * @example
 * ```ts
 * const { learningRate, batchSize } = trainingPresets.get('edm2-img512-xs')!;
 * learningRate.referenceRate; // 0.012
 * batchSize; // 2048
 * ```
 */
export const trainingPresets: ReadonlyMap<string, TrainingPreset> = new Map(
  [
    ...published('edm2-img512', img512, { imgChannels: 4, decayBatches: 70_000, pMean: -0.4, pStd: 1 }),
    ...published('edm2-img64', img64, { imgChannels: 3, decayBatches: 35_000, pMean: -0.8, pStd: 1.6 }),
    ...smallPresets,
  ].map((preset) => [preset.name, preset]),
);
