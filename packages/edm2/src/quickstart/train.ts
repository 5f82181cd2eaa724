import { writeFileAtomically } from '@evenkeel/formats/node';
import { checkFinite, DataLoader } from '@evenkeel/nn';
import { Generator } from '@evenkeel/tensor';
import type { BackendChoice } from '../cli/backend.ts';
import { duration, type ProgressLine } from '../cli/progress-line.ts';
import { classBalanced, type PictureSet, splitHeldOut, subset } from '../data/index.ts';
import { encodeSnapshot } from '../ema/index.ts';
import { denoisingError, denoisingTriples } from '../metrics/denoising-error.ts';
import { networkMetadata } from '../network/network-metadata.ts';
import { Precond } from '../network/precondition.ts';
import { trainingExamples } from '../train/batch.ts';
import { Trainer } from '../train/trainer.ts';
import { batchSize, emaStds, learning, networkFor, noise, snapshotCount } from './recipe.ts';
import { forwardMs, fullPlan, leastPlan, samplingMs } from './sampling-plan.ts';
import { removeSnapshots, snapshotFile } from './snapshot-files.ts';

/** What a training run reports. */
export interface TrainingReport {
  readonly parameters: number;
  readonly steps: number;
  readonly images: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** (images seen, mean loss) of every step. */
  readonly losses: readonly (readonly [number, number])[];
  /** Held-out error of the last weights as a share of an untrained network's; undefined where there was no time for it. */
  readonly heldOutRatio: number | undefined;
  readonly wasStopped: boolean;
}

/** What a training run needs to know. */
export interface TrainingRequest {
  readonly dataset: PictureSet;
  readonly folder: string;
  readonly seed: number;
  readonly backend: BackendChoice['backend'];
  /** `performance.now()` by which everything, the sampling of the full plan included, should be over. */
  readonly deadline: number;
  readonly line: ProgressLine;
  readonly isStopped: () => boolean;
}

/** Held-out pictures that weights are judged by. */
const tripleCount = 64;

/** Trains until the time is used, writing snapshots of both averages on the way. */
export async function train(request: TrainingRequest): Promise<TrainingReport> {
  const { dataset, folder, seed, deadline, line, isStopped } = request;
  const { train: trained, heldOut } = splitHeldOut(dataset, { seed });
  const images = subset(dataset, trained);
  using net = new Precond({
    ...networkFor(request.backend),
    labelDim: dataset.labelDim,
    generator: new Generator(seed),
  });
  const loader = new DataLoader(trainingExamples(images), { batchSize, indices: classBalanced(images, { seed }) });
  using trainer = new Trainer(net, loader, { batchSize, seed, loss: noise, learningRate: learning, emaStds });
  const triples = denoisingTriples(dataset, { indices: heldOut, count: tripleCount, seed, ...noise });

  const losses: [number, number][] = [];
  const start = performance.now();
  const stepMs: number[] = [];
  let smooth = Number.NaN;
  let saved = 0;
  /** Milliseconds of the latest steps, by their median: the first one also compiles, and a machine may stall. */
  const usualMs = (): number => median(stepMs.length > 1 ? stepMs.slice(1).slice(-30) : stepMs);
  const rate = (): number => (1000 * batchSize) / usualMs();
  const end = (): number => deadline - reservedMs(deadline - start);
  /** Kept for what follows: the best painting where that is a small part of the time, the least where devices are slow. */
  const reservedMs = (all: number): number => {
    const sampling = (plan: typeof fullPlan): number => 1.1 * samplingMs(plan, dataset.labelDim, rate()) + 4000;
    // Painting and judging are compiled as well.
    const compiling = Math.max(0, (stepMs[0] ?? 0) - usualMs());
    const least = sampling(leastPlan) + forwardMs(tripleCount, rate()) + compiling;
    return Math.max(Math.min(sampling(fullPlan), 0.35 * all), Math.min(least, 0.8 * all));
  };

  /** Those of an earlier run stay until there are new ones. */
  let isFirst = true;
  const save = async (): Promise<void> => {
    if (isFirst) await removeSnapshots(folder);
    isFirst = false;
    await saveSnapshots(trainer, folder, seed);
  };

  // Two steps tell how fast it goes, if the first one did not take all the time.
  const mayGoOn = (): boolean => performance.now() < (losses.length < 2 ? deadline : end());
  while (losses.length === 0 || (mayGoOn() && !isStopped())) {
    const before = performance.now();
    const step = await trainer.step();
    const loss = await step.loss.item();
    if (!Number.isFinite(loss)) {
      await checkFinite(loss, { model: net, rerun: () => net.denoise(triples.images, triples.sigma, triples.labels) });
    }
    losses.push([step.images, loss]);
    stepMs.push(performance.now() - before);
    smooth = Number.isNaN(smooth) ? loss : smooth + (loss - smooth) / Math.min(losses.length, 50);
    const [now, last] = [performance.now(), end()];
    line.update(
      () =>
        `step ${losses.length}  ${step.images} images  loss ${smooth.toFixed(3)}  ${rate().toFixed(1)} images/s  ${duration((last - now) / 1000)} left`,
    );
    const due = Math.floor((snapshotCount * (now - start)) / Math.max(1, last - start));
    if (losses.length > 2 && due > saved && due < snapshotCount) {
      saved = due;
      await save();
    }
  }
  await save();
  const seconds = (performance.now() - start) / 1000;
  const hasTime = performance.now() + forwardMs(tripleCount, rate()) < deadline;
  const heldOutError = hasTime ? await denoisingError(net, triples) : undefined;
  return {
    parameters: net.parameterCount(),
    steps: losses.length,
    images: trainer.images,
    seconds,
    imagesPerSecond: rate(),
    losses,
    heldOutRatio: heldOutError && heldOutError.error / heldOutError.baseline,
    wasStopped: isStopped(),
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.POSITIVE_INFINITY;
}

async function saveSnapshots(trainer: Trainer, folder: string, seed: number): Promise<void> {
  const { net, ema, images } = trainer;
  for (const std of ema.stds) {
    const values = await ema.snapshot(std);
    const metadata = { ...networkMetadata(net), seed: String(seed) };
    const bytes = encodeSnapshot(
      { images, std, values, copied: [...net.namedBuffers().keys()], metadata },
      { dtype: 'float16' },
    );
    await writeFileAtomically(snapshotFile(folder, images, std), bytes);
  }
}
