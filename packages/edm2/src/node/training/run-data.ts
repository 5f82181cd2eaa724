import { DataLoader, type IndexStream, shuffledIndices } from '@evenkeel/nn';
import { classBalanced } from '../../data/class-balanced.ts';
import type { ImageDataset } from '../../data/dataset.ts';
import { type Batch, type BatchSource, trainingExamples } from '../../train/batch.ts';

/** Options of {@link batchesOf}. */
export interface BatchesOptions {
  /** Images of a round. */
  readonly size: number;
  readonly draws: 'shuffled' | 'class-balanced';
  readonly seed: number;
  /** Images seen. */
  readonly position: number;
  readonly isConditional: boolean;
  /** Whether the step encodes what the data set stores. */
  readonly raw: boolean;
}

/** A run's batches from the place where it goes on: a pure function of seed and position. */
export function batchesOf(dataset: ImageDataset, options: BatchesOptions): BatchSource {
  const { size, draws, seed, position, isConditional, raw } = options;
  const indices: IndexStream =
    draws === 'class-balanced' ? classBalanced(dataset, { seed }) : shuffledIndices(dataset.length, { seed });
  const loader = new DataLoader<Batch>(trainingExamples(dataset, { raw }), { batchSize: size, indices, position });
  if (isConditional) return loader;
  return {
    async next() {
      const { images } = await loader.next();
      return { images };
    },
  };
}
