import { isDeepStrictEqual } from 'node:util';
import type { ImageDataset } from '../../data/dataset.ts';
import { type ImageEncoder, imageEncoderFor } from '../../data/image-encoder.ts';
import type { EncoderName } from '../../network/network-metadata.ts';
import type { PrecondOptions } from '../../network/precondition.ts';
import type { TrainingPreset } from '../../presets/training.ts';
import type { TrainRunOptions } from './train-run.ts';

/** What a run's `training_options.json` says: all that its weights follow from, and how often what is written. */
export interface RunSettings extends Omit<TrainingPreset, 'madeFor' | 'network' | 'fp16'> {
  readonly seed: number;
  readonly dataset: Pick<ImageDataset, 'name' | 'length' | 'channels' | 'resolution'>;
  readonly encoder: EncoderName;
  readonly network: Omit<PrecondOptions, 'generator'>;
  /** Rounds that a step's images come in. */
  readonly accumulationRounds: number;
  readonly lossScale: number;
  /** Images between grids of samples; 0 for none. */
  readonly sampleImages: number;
  readonly snapshotDType: 'float16' | 'float32';
  /** Checkpoints that are kept. */
  readonly keptCheckpoints: number;
}

/**
 * What options come to, together with what the data decide.
 *
 * @throws when the data have no labels for a conditional network.
 */
export function settingsOf(options: TrainRunOptions): RunSettings {
  const { dataset, preset } = options;
  const encoder = encoderOf(options);
  const { madeFor, network, fp16, ...schedule } = preset;
  const { name, length, channels, resolution, labelDim } = dataset;
  const conditional = options.conditional ?? labelDim > 0;
  if (conditional && labelDim === 0) {
    throw new Error(`training: ${name} has no labels for a conditional network. Train an unconditional one`);
  }
  return {
    ...schedule,
    seed: options.seed ?? 0,
    dataset: { name, length, channels, resolution },
    encoder: encoder.name,
    network: {
      imgResolution: resolution,
      imgChannels: encoder.latentChannels,
      labelDim: conditional ? labelDim : 0,
      ...network,
      ...(fp16 ? { fp16 } : {}),
    },
    accumulationRounds: options.accumulationRounds ?? 1,
    lossScale: options.lossScale ?? 1,
    sampleImages: options.sampleImages ?? 0,
    snapshotDType: options.snapshotDType ?? 'float16',
    keptCheckpoints: options.keptCheckpoints ?? 2,
  };
}

/** Between the data and the network. */
export function encoderOf({ dataset, encoder }: TrainRunOptions): ImageEncoder {
  return encoder ?? imageEncoderFor(dataset.channels);
}

/** What a run must not change where it goes on: it would be another run. */
const fixed = ['seed', 'dataset', 'encoder', 'network', 'batchSize', 'emaStds', 'draws'] as const;
/** What a run may change where it goes on, with other numbers than before from there on. */
const telling = ['loss', 'learningRate', 'lossScale', 'accumulationRounds'] as const;

/** One line for each setting that differs from those that the folder's run began with. */
export interface SettingsDifference {
  /** Of settings that a run cannot change. */
  readonly refused: readonly string[];
  /** Of settings that make the rest of the run another than it would have been. */
  readonly warnings: readonly string[];
}

/** Compares settings with those that a run began with. */
export function compareSettings(before: Partial<RunSettings>, now: RunSettings): SettingsDifference {
  const differing = (names: readonly (keyof RunSettings)[]): string[] =>
    names.flatMap((name) => differences(name, before[name], asJson(now[name])));
  return { refused: differing(fixed), warnings: differing(telling) };
}

/** What is counted in images, as messages say it. */
const counted = {
  duration: 'a run of',
  statusImages: 'status lines every',
  snapshotImages: 'snapshots every',
  checkpointImages: 'checkpoints every',
  sampleImages: 'samples every',
} as const satisfies Partial<Record<keyof RunSettings, string>>;

/** Files whose names hold thousands of images, from which only multiples of 1024 can be told. */
const namedAfter: Partial<Record<keyof RunSettings, true>> = { snapshotImages: true, checkpointImages: true };

/**
 * Checks what a run cannot work with.
 *
 * @throws one line that names the setting, and what to change.
 */
export function checkSettings(settings: RunSettings): void {
  const { batchSize, accumulationRounds, keptCheckpoints } = settings;
  requireWhole('batchSize', batchSize, 1);
  requireWhole('keptCheckpoints', keptCheckpoints, 1);
  requireWhole('accumulationRounds', accumulationRounds, 1);
  if (batchSize % accumulationRounds !== 0) {
    throw new Error(`training: a batch of ${batchSize} images does not divide into ${accumulationRounds} rounds`);
  }
  requireWhole('duration', settings.duration, batchSize);
  const names = settings.emaStds.map((std) => std.toFixed(3));
  if (new Set(names).size !== names.length) {
    throw new Error(`training: averages of ${settings.emaStds.join(', ')}: files of two would have one name`);
  }
  for (const [name, what] of Object.entries(counted) as [keyof typeof counted, string][]) {
    const images = settings[name];
    requireWhole(name, images, 0);
    const unit = name in namedAfter ? leastCommonMultiple(1024, batchSize) : batchSize;
    if (images % unit === 0) continue;
    const also = name in namedAfter ? ', and of 1024, for the names of files' : '';
    const [below, above] = [Math.floor(images / unit) * unit, Math.ceil(images / unit) * unit];
    const instead = below > 0 ? `${below} or ${above}` : `${above}`;
    throw new Error(
      `training: ${what} ${images} images: not a multiple of the batch, ${batchSize}${also}. Take ${instead}`,
    );
  }
}

function requireWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new Error(`training: ${name} must be a whole number of at least ${least}, got ${value}`);
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}

/** As a file gives it back: without what is undefined. */
function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

/** The innermost values that differ, with their paths. */
function differences(path: string, before: unknown, now: unknown): string[] {
  if (isDeepStrictEqual(before, now)) return [];
  if (isRecord(before) && isRecord(now)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])];
    return keys.flatMap((key) => differences(`${path}.${key}`, before[key], now[key]));
  }
  return [`${path} was ${show(before)}, is ${show(now)}`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return value === undefined ? 'not set' : JSON.stringify(value);
}
