import { rename } from 'node:fs/promises';
import { Generator } from '@evenkeel/tensor';
import type { ImageDataset } from '../../data/dataset.ts';
import type { ImageEncoder } from '../../data/image-encoder.ts';
import { Precond } from '../../network/precondition.ts';
import type { TrainingPreset } from '../../presets/training.ts';
import { Trainer } from '../../train/trainer.ts';
import { newestCheckpoint } from './checkpoint-folder.ts';
import { batchesOf } from './run-data.ts';
import { checkSameRun, removeLeftovers, writeSettings } from './run-folder.ts';
import { RunLog } from './run-log.ts';
import { RunPart } from './run-part.ts';
import { checkSettings, encoderOf, settingsOf } from './run-settings.ts';
import { keepStatsUpTo } from './stats.ts';

/** Options of {@link trainRun}. */
export interface TrainRunOptions {
  /** Where everything is written; made where it does not exist. A run in it goes on. */
  readonly folder: string;
  readonly dataset: ImageDataset;
  /** What is trained and for how long: one of {@link trainingPresets}, or one changed: `{ ...preset, duration: 4096 }`. */
  readonly preset: TrainingPreset;
  /** Between the data set and the network; grids of samples need its `decode`. @defaultValue that of {@link imageEncoderFor} */
  readonly encoder?: ImageEncoder;
  /** Whether the network is told labels. @defaultValue whether there are any */
  readonly conditional?: boolean;
  /** Fixes weights, noise and the order of images. @defaultValue 0 */
  readonly seed?: number;
  /** Rounds that a step's images come in: memory holds one round's. @defaultValue 1 */
  readonly accumulationRounds?: number;
  /** What gradients are multiplied by, see {@link RoundOptions.lossScale}. @defaultValue 1 */
  readonly lossScale?: number;
  /** Images between grids of samples; 0 for none. @defaultValue 0 */
  readonly sampleImages?: number;
  /** What snapshots hold. @defaultValue 'float16' */
  readonly snapshotDType?: 'float16' | 'float32';
  /** Checkpoints that are kept. @defaultValue 2 */
  readonly keptCheckpoints?: number;
  /** Stops after the step under way, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Asked after each step: true writes a checkpoint, and training goes on. */
  readonly wantsCheckpoint?: () => boolean;
  /** Each line of the run's `log.txt`. */
  readonly onLine?: (line: string) => void;
  /** After each step. */
  readonly onStep?: (progress: RunProgress) => void;
}

/** Where a run stands after a step. */
export interface RunProgress {
  readonly images: number;
  /** Images of the whole run. */
  readonly duration: number;
  /** Of the step before: the step under way is not waited for. NaN where there is none. */
  readonly loss: number;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
}

/** How a run, or a part of it, ended. */
export interface TrainRunResult {
  /** Images seen, all parts of the run together. */
  readonly images: number;
  /** False where the signal stopped it. */
  readonly isComplete: boolean;
  /** Seconds of training, all parts together. */
  readonly elapsedSeconds: number;
}

/**
 * Trains a network in a folder, as the published runs were: `training_options.json`, `log.txt`, `stats.jsonl`, event files
 * for TensorBoard, snapshots of all averages, checkpoints, grids of samples. Called again with the same options, it goes on
 * from the newest whole checkpoint, and ends with the bits that it would have ended with uninterrupted: on the same backend,
 * however it was ended.
 *
 * Order of a step: status, snapshots, samples, checkpoint, then the step itself. Snapshots are written at 0 images, at
 * multiples of their interval and at the end, checkpoints at multiples, at the end and when the signal stops the run.
 *
 * @throws one line, where the folder holds a run of other options, cannot be written, or options do not fit together.
 * @example
 * ```ts
 * const preset = trainingPresets.get('small-16')!;
 * const result = await trainRun({
 *   folder: 'out/emoji',
 *   dataset: await loadEmoji16(),
 *   preset: { ...preset, network: { ...preset.network, modelChannels: 8 }, duration: 16, statusImages: 8 },
 *   onLine: console.log,
 * });
 * result.images; // 16
 * ```
 */
export async function trainRun(options: TrainRunOptions): Promise<TrainRunResult> {
  const { folder, dataset } = options;
  const settings = settingsOf(options);
  checkSettings(settings);
  using net = new Precond({ ...settings.network, generator: new Generator(settings.seed) });
  const changes = await checkSameRun(folder, settings);
  await removeLeftovers(folder);
  await writeSettings(folder, settings);
  const log = new RunLog(folder, options.onLine);
  try {
    for (const change of changes)
      await log.print(`warning: ${change}: from here on it is another run than it began as`);
    const checkpoint = await newestCheckpoint(folder, {
      async onDamaged(message, path) {
        // Out of the way, so that it does not count as one of those that are kept.
        await rename(path, `${path}.damaged`);
        await log.print(`warning: ${message}. It is passed over, and now ends in .damaged`);
      },
    });
    await keepStatsUpTo(folder, checkpoint?.state.images ?? -1);
    const isConditional = settings.network.labelDim > 0;
    const encoder = encoderOf(options);
    const raw = encoder.name !== 'rgb'; // pixels are encoded on the host, once
    const position = checkpoint?.state.images ?? 0;
    const { batchSize, accumulationRounds, seed, draws, loss, learningRate, lossScale, emaStds } = settings;
    const size = batchSize / accumulationRounds;
    using trainer = new Trainer(net, batchesOf(dataset, { size, draws, seed, position, isConditional, raw }), {
      batchSize,
      accumulationRounds,
      seed,
      loss,
      learningRate,
      lossScale,
      emaStds,
      ...(raw && { encoder }),
      countNonFinite: true,
    });
    return await new RunPart(options, settings, log, trainer).train(checkpoint);
  } catch (error) {
    await log.note(`error: ${(error as Error).message}`).catch(() => undefined);
    throw error;
  }
}
