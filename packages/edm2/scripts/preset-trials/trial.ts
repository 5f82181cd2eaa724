import { Generator } from '@evenkeel/tensor';
import { type ImageDataset, type PictureSet, splitHeldOut, subset } from '../../src/data/index.ts';
import { denoisingError, denoisingTriples } from '../../src/metrics/denoising-error.ts';
import { Precond } from '../../src/network/precondition.ts';
import { batchesOf } from '../../src/node/training/run-data.ts';
import { Trainer } from '../../src/train/trainer.ts';
import type { Variation } from './variation.ts';

/** What is known of a training at a moment. */
export interface Mark {
  readonly images: number;
  /** Mean of the training loss since the mark before. */
  readonly loss: number;
  /** Held-out error of each average, as a share of what a network leaves that has learned nothing. */
  readonly errors: Readonly<Record<string, number>>;
  /** Of this process, over all threads, since the training began. */
  readonly cpuSeconds: number;
}

/** What all trials share. */
export interface TrialOptions {
  readonly dataset: PictureSet;
  /** Where errors are measured, in images seen. */
  readonly marks: readonly number[];
  /** Held-out (image, noise level, noise) triples that errors are means over. */
  readonly triples: number;
  readonly onStep: (images: number, loss: number) => void;
}

/** Trains by a preset on nine tenths of the data, and measures on the rest. */
export async function runTrial({ preset, seed }: Variation, options: TrialOptions): Promise<Mark[]> {
  const { dataset, marks, onStep } = options;
  const { batchSize, loss, learningRate, emaStds, draws } = preset;
  const { train, heldOut } = splitHeldOut(dataset);
  const { resolution, channels, labelDim } = dataset;
  const sizes = { ...preset.network, imgResolution: resolution, imgChannels: channels, labelDim };
  using net = new Precond({ ...sizes, generator: new Generator(seed) });
  using judged = new Precond(sizes);
  const source = batchesOf(subset(dataset, train), {
    size: batchSize,
    draws,
    seed,
    position: 0,
    isConditional: labelDim > 0,
    raw: false,
  });
  using trainer = new Trainer(net, source, { batchSize, seed, loss, learningRate, emaStds });
  // The same in all trials, whatever their seed and noise levels.
  const triples = denoisingTriples(dataset, { indices: heldOut, count: options.triples, pMean: -0.6, pStd: 1.2 });

  const begun = process.cpuUsage();
  let measuring = 0;
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / 1e6 - measuring;
  };
  const done: Mark[] = [];
  for (const images of marks) {
    let [sum, steps] = [0, 0];
    while (trainer.images < images) {
      const step = await trainer.step();
      const value = await step.loss.item();
      sum += value;
      steps++;
      onStep(step.images, value);
    }
    const before = cpuSeconds();
    const errors: Record<string, number> = {};
    for (const std of emaStds) {
      judged.loadStateDict(trainer.ema.stateDict(std));
      const { error, baseline } = await denoisingError(judged, triples);
      errors[std] = error / baseline;
    }
    measuring += cpuSeconds() - before;
    done.push({ images: trainer.images, loss: sum / steps, errors, cpuSeconds: before });
  }
  return done;
}

/** A data set whose images are all read. Without labels, all are of one class. */
export async function inMemory(dataset: ImageDataset): Promise<PictureSet> {
  const images: Uint8Array[] = [];
  for (let i = 0; i < dataset.length; i++) images.push((await dataset.image(i)) as Uint8Array);
  const labelDim = Math.max(1, dataset.labelDim);
  return {
    ...dataset,
    labelDim,
    classNames: Array.from({ length: labelDim }, (_, i) => String(i)),
    image: (index) => images[index]!,
    label: (index) => (dataset.label?.(index) ?? 0) as number,
  };
}
