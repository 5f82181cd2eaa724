import { join } from 'node:path';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { commit, currentBackend } from '@evenkeel/tensor';
import { kimgName } from '../../ema/kimg.ts';
import type { Trainer, TrainStep } from '../../train/trainer.ts';
import { type FoundCheckpoint, writeCheckpoint } from './checkpoint-folder.ts';
import { Pace } from './pace.ts';
import type { RunLog } from './run-log.ts';
import { encoderOf, type RunSettings } from './run-settings.ts';
import { sampleGrid } from './sample-grid.ts';
import { writeSnapshots } from './snapshots.ts';
import { StatusReport } from './status.ts';
import { EventFile } from './tensorboard/event-file.ts';
import type { TrainRunOptions, TrainRunResult } from './train-run.ts';

/** One part of a run: from where it goes on to its end, or to where it is stopped. */
export class RunPart {
  readonly #options: TrainRunOptions;
  readonly #settings: RunSettings;
  readonly #log: RunLog;
  readonly #trainer: Trainer;

  constructor(options: TrainRunOptions, settings: RunSettings, log: RunLog, trainer: Trainer) {
    this.#options = options;
    this.#settings = settings;
    this.#log = log;
    this.#trainer = trainer;
  }

  async train(checkpoint: FoundCheckpoint | undefined): Promise<TrainRunResult> {
    const { folder, signal, wantsCheckpoint = () => false } = this.#options;
    const { duration, statusImages, snapshotImages, checkpointImages, sampleImages } = this.#settings;
    const trainer = this.#trainer;
    await this.#begin(checkpoint);
    const start = trainer.images;
    const events = await EventFile.create(folder, { step: start });
    const elapsedSeconds = checkpoint?.elapsedSeconds ?? 0;
    const status = new StatusReport({ folder, events, images: start, elapsedSeconds });
    const pace = new Pace(start, duration);
    let pending: Promise<void> = Promise.resolve();
    let loss = Number.NaN;
    const take = async (step: TrainStep): Promise<void> => {
      const [value, nonFinite = 0] = await Promise.all([step.loss.item(), step.nonFinite?.item()]);
      loss = value;
      status.addStep({ loss, nonFinite, learningRate: step.learningRate });
    };

    for (;;) {
      const { images } = trainer;
      const isComplete = images >= duration;
      const isLast = isComplete || (signal?.aborted ?? false);
      const isDue = (interval: number): boolean => interval > 0 && images % interval === 0;
      // What a run wrote where it was interrupted, it does not write again where it goes on.
      const isNew = images !== start || start === 0;
      const hasMoved = images !== start;
      if (hasMoved && (isLast || isDue(statusImages))) {
        await pending;
        await this.#log.print(await status.write({ images, secondsLeft: pace.secondsLeft(images) }));
      }
      if (isNew && (isComplete || isDue(snapshotImages))) {
        await status.maintain(() => writeSnapshots(folder, trainer, this.#settings));
      }
      if (isNew && isDue(sampleImages)) await status.maintain(() => this.#writeSamples());
      if (hasMoved && (isLast || isDue(checkpointImages) || wantsCheckpoint())) {
        await status.maintain(() => this.#writeCheckpoint(status.elapsedSeconds));
      }
      if (isLast) return { images, isComplete, elapsedSeconds: status.elapsedSeconds };

      const step = await trainer.step();
      // The step before this one: its numbers are there by now, while this one is under way.
      await pending;
      pending = take(step);
      pending.catch(() => undefined); // thrown where it is waited for
      const { imagesPerSecond, secondsLeft } = pace.after(step.images);
      this.#options.onStep?.({ images: step.images, duration, loss, imagesPerSecond, secondsLeft });
    }
  }

  /** Says what is trained, and goes on from the checkpoint. */
  async #begin(checkpoint: FoundCheckpoint | undefined): Promise<void> {
    const { duration, dataset, batchSize } = this.#settings;
    const trainer = this.#trainer;
    await this.#log.print(
      `${trainer.net.parameterCount()} parameters, ${dataset.length} images of '${dataset.name}', ${duration} images in batches of ${batchSize}`,
    );
    if (checkpoint === undefined) {
      await commit(); // first values
      return;
    }
    await trainer.restore(checkpoint.state);
    await this.#log.print(`goes on from ${checkpoint.path}, ${checkpoint.state.images} images`);
    if (checkpoint.numerics === numericsNow()) return;
    await this.#log.print(
      `warning: until now computed by '${checkpoint.numerics}', from here by '${numericsNow()}': numbers will differ in their last digits`,
    );
  }

  async #writeSamples(): Promise<void> {
    const path = join(this.#options.folder, `samples-${kimgName(this.#trainer.images)}.png`);
    await writeFileAtomically(path, await sampleGrid(this.#trainer, encoderOf(this.#options)));
  }

  async #writeCheckpoint(elapsedSeconds: number): Promise<void> {
    const { folder } = this.#options;
    const state = await this.#trainer.state();
    const checkpoint = { state, elapsedSeconds, numerics: numericsNow() };
    const path = await writeCheckpoint(folder, checkpoint, this.#settings.keptCheckpoints);
    await this.#log.print(`saved ${path}`);
  }
}

/** What the bits of results depend on. */
function numericsNow(): string {
  const { name, numerics } = currentBackend();
  return numerics ?? name;
}
