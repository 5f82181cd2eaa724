import type { Dataset } from '@evenkeel/nn';
import { type Tensor, tensor } from '@evenkeel/tensor';
import { checkedIndex, type ImageDataset } from '../data/dataset.ts';
import { imageEncoderFor } from '../data/image-encoder.ts';
import { labelRows } from '../data/labels.ts';
import { pixelsToLatents } from '../data/rgb.ts';
import type { LossNormals } from '../loss.ts';

/** What one accumulation round is trained on. */
export interface Batch {
  /** Latents `[N, C, R, R]`: RGB pixels as -1 to 1. */
  readonly images: Tensor;
  /** `[N, labelDim]`, or null. */
  readonly labels?: Tensor | null;
  /** Normals to use instead of drawing them. */
  readonly normals?: LossNormals;
}

/** Where batches come from, such as a `DataLoader` of {@link trainingExamples}. */
export interface BatchSource {
  next(): Promise<Batch>;
}

/** Images as a data loader hands them out. */
export interface LabeledImages {
  /** `[N, C, R, R]`. */
  readonly images: Tensor;
  /** `[N, labelDim]`: one-hot rows, or vectors. Null where the data set has no labels. */
  readonly labels: Tensor | null;
}

/** Options of {@link trainingExamples}. */
export interface TrainingExamplesOptions {
  /**
   * Hands out images as they are stored, for the `encode` of an `ImageEncoder` inside the training step. Without, pixels
   * become latents -1 to 1 here, on the host; latents of a VAE, which are to be drawn anew at each use, need this.
   * @defaultValue false
   */
  readonly raw?: boolean;
}

/**
 * Images with labels, for a `DataLoader`.
 *
 * @throws when the images are no pixels and `raw` is not set.
 *
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * const loader = new DataLoader(trainingExamples(emoji), { batchSize: 32, indices: classBalanced(emoji) });
 * const batch = await loader.next(); // { images: [32, 3, 16, 16], labels: [32, 10] }
 * ```
 */
export function trainingExamples(dataset: ImageDataset, options: TrainingExamplesOptions = {}): Dataset<LabeledImages> {
  const { name, channels, resolution, labelDim } = dataset;
  const { raw = false } = options;
  if (!raw && imageEncoderFor(channels).name !== 'rgb') {
    throw new Error(`trainingExamples: ${name} holds no pixels. Pass { raw: true }, and encode in the training step`);
  }
  const size = channels * resolution * resolution;
  return {
    length: dataset.length,
    async batch(indices) {
      const stored = await Promise.all(indices.map((index) => dataset.image(checkedIndex(dataset, index))));
      const images = new Float32Array(indices.length * size);
      for (const [row, values] of stored.entries()) images.set(raw ? values : pixelsToLatents(values), row * size);
      // One-hot here rather than in the graph: then a batch is nothing but values, which a compiled step takes as they are.
      const labels = labelDim === 0 ? null : labelRows(dataset, indices);
      return {
        images: tensor(images, { shape: [indices.length, channels, resolution, resolution] }),
        labels: labels && tensor(labels, { shape: [indices.length, labelDim] }),
      };
    },
  };
}
