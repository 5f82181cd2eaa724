import type { Dataset } from '@evenkeel/nn';
import { type Tensor, tensor } from '@evenkeel/tensor';
import { checkedIndex, type ImageDataset } from '../data/dataset.ts';
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

/** Pictures as a data loader hands them out. */
export interface LabeledImages {
  /** `[N, C, R, R]`, -1 to 1. */
  readonly images: Tensor;
  /** One-hot rows, `[N, labelCount]`. */
  readonly labels: Tensor;
}

/**
 * Pictures with one-hot labels, for a `DataLoader`.
 *
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * const loader = new DataLoader(trainingExamples(emoji), { batchSize: 32, indices: classBalanced(emoji) });
 * const batch = await loader.next(); // { images: [32, 3, 16, 16], labels: [32, 10] }
 * ```
 */
export function trainingExamples(dataset: ImageDataset): Dataset<LabeledImages> {
  const { channels, resolution, labelCount } = dataset;
  const size = channels * resolution * resolution;
  return {
    length: dataset.length,
    batch(indices) {
      const images = new Float32Array(indices.length * size);
      indices.forEach((index, row) => {
        images.set(pixelsToLatents(dataset.image(checkedIndex(dataset, index))), row * size);
      });
      // One-hot here rather than in the graph: then a batch is nothing but values, which a compiled step takes as they are.
      const labels = new Float32Array(indices.length * labelCount);
      indices.forEach((index, row) => {
        labels[row * labelCount + dataset.label(index)] = 1;
      });
      return {
        images: tensor(images, { shape: [indices.length, channels, resolution, resolution] }),
        labels: tensor(labels, { shape: [indices.length, labelCount] }),
      };
    },
  };
}
