import type { ImageDataset } from '../data/index.ts';
import { Precond } from '../network/precondition.ts';
import { checkSettings, type RunSettings, settingsOf } from '../node/training/run-settings.ts';
import type { TrainRunOptions } from '../node/training/train-run.ts';
import { type TrainingPreset, trainingPresets } from '../presets/index.ts';

/** What `edm2 train` is told, apart from the network. */
export interface TrainFlags {
  readonly outdir: string;
  readonly data: string;
  readonly cond: boolean;
  readonly preset?: string;
  readonly duration?: number;
  readonly batch?: number;
  readonly P_mean?: number;
  readonly P_std?: number;
  readonly lr?: number;
  readonly decay?: number;
  readonly rampup?: number;
  readonly batchGpu: number;
  readonly fp16: boolean;
  readonly ls: number;
  readonly emaStds?: readonly number[];
  readonly status?: number;
  readonly snapshot?: number;
  readonly snapshotDtype: 'float16' | 'float32';
  readonly checkpoint?: number;
  readonly keep: number;
  readonly samples?: number;
  readonly seed: number;
  readonly balance?: boolean;
}

/** What it is told of the network. */
export interface NetworkFlags {
  readonly channels?: number;
  readonly dropout?: number;
  readonly channelMult?: readonly number[];
  readonly blocks?: number;
  readonly attn?: readonly number[];
  readonly headChannels?: number;
}

/** The options of a run; a problem is one line that says what was asked for wrongly. */
export function runOptions(
  flags: TrainFlags & NetworkFlags,
  dataset: ImageDataset,
): { readonly options: TrainRunOptions; readonly problem?: string } {
  const preset = presetOf(flags, dataset);
  const { batchSize } = preset;
  const options: TrainRunOptions = {
    folder: flags.outdir,
    dataset,
    preset,
    conditional: flags.cond,
    seed: flags.seed,
    accumulationRounds: flags.batchGpu === 0 ? 1 : Math.ceil(batchSize / flags.batchGpu),
    lossScale: flags.ls,
    // Pictures of latents need a decoder.
    sampleImages: flags.samples ?? (dataset.channels <= 3 ? preset.snapshotImages : 0),
    snapshotDType: flags.snapshotDtype,
    keptCheckpoints: flags.keep,
  };
  return { options, ...problemOf(options, flags) };
}

function problemOf(options: TrainRunOptions, { batchGpu, samples }: TrainFlags): { readonly problem?: string } {
  const { batchSize } = options.preset;
  if (options.conditional && (options.dataset.labelDim ?? 0) === 0) {
    return {
      problem: `--data: ${options.dataset.name} has no labels. Give --cond=false, or labels (edm2 dataset convert)`,
    };
  }
  if (batchGpu > 0 && batchSize > batchGpu && batchSize % batchGpu !== 0) {
    return { problem: `--batch-gpu ${batchGpu} does not divide the batch, ${batchSize}` };
  }
  if (samples !== undefined && samples > 0 && options.dataset.channels > 3) {
    return { problem: '--samples: latents cannot be shown while training. Take 0, and sample from the snapshots' };
  }
  try {
    const settings = settingsOf(options);
    checkSettings(settings);
    new Precond(settings.network).dispose(); // computes nothing, but checks sizes
    return {};
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

/** The preset, with what was told otherwise. */
function presetOf(flags: TrainFlags & NetworkFlags, dataset: ImageDataset): TrainingPreset {
  const preset = trainingPresets.get(flags.preset ?? smallPresetFor(dataset)) as TrainingPreset;
  return {
    ...changed(preset, {
      duration: flags.duration,
      batchSize: flags.batch,
      emaStds: flags.emaStds,
      snapshotImages: flags.snapshot,
      checkpointImages: flags.checkpoint,
      statusImages: flags.status,
    }),
    network: changed(preset.network, {
      modelChannels: flags.channels,
      dropout: flags.dropout,
      channelMult: flags.channelMult,
      numBlocks: flags.blocks,
      attnResolutions: flags.attn,
      channelsPerHead: flags.headChannels,
    }),
    loss: changed(preset.loss, { pMean: flags.P_mean, pStd: flags.P_std }),
    learningRate: changed(preset.learningRate, {
      referenceRate: flags.lr,
      decayBatches: flags.decay,
      rampupImages: flags.rampup,
    }),
    draws:
      flags.balance === undefined ? drawsOf(preset, flags, dataset) : flags.balance ? 'class-balanced' : 'shuffled',
    fp16: flags.fp16,
  };
}

/** `base`, with what `changes` define in place of its own. */
function changed<T extends object>(base: T, changes: { readonly [K in keyof T]?: T[K] | undefined }): T {
  const defined = Object.entries(changes).filter(([, value]) => value !== undefined);
  return { ...base, ...(Object.fromEntries(defined) as Partial<T>) };
}

/** Classes cannot be balanced where there are none. */
function drawsOf({ draws }: TrainingPreset, { cond }: TrainFlags, dataset: ImageDataset): TrainingPreset['draws'] {
  const hasClasses = cond && typeof dataset.label?.(0) === 'number';
  return hasClasses ? draws : 'shuffled';
}

function smallPresetFor({ resolution }: ImageDataset): string {
  if (resolution <= 20) return 'small-16';
  return resolution <= 40 ? 'small-28' : 'small-64';
}

/** What would be trained, for `--dry-run`. */
export function plannedRun(options: TrainRunOptions): RunSettings & { readonly parameters: number } {
  const settings = settingsOf(options);
  using net = new Precond(settings.network);
  return { ...settings, parameters: net.parameterCount() };
}

/** The same in lines. */
export function describeRun(options: TrainRunOptions): string {
  const { parameters, ...settings } = plannedRun(options);
  const steps = settings.duration / settings.batchSize;
  return [
    JSON.stringify(settings, undefined, 2),
    '',
    `network     ${parameters.toLocaleString('en')} parameters`,
    `data        ${settings.dataset.length} images of ${settings.dataset.name}`,
    `training    ${steps.toLocaleString('en')} steps of ${settings.batchSize} images`,
    // Weights, two moments and each average, in float32.
    `checkpoint  ${((parameters * 4 * (3 + settings.emaStds.length)) / 2 ** 20).toFixed(1)} MiB`,
    'dry run: nothing was written',
  ].join('\n');
}
