import type { ImageDataset } from './dataset.ts';

/**
 * The class of every image, `[length]`.
 *
 * @throws when images have no classes: no labels at all, or vectors.
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * new Set(labelsOf(emoji)).size; // 10
 * ```
 */
export function labelsOf(dataset: ImageDataset): Uint32Array {
  return Uint32Array.from({ length: dataset.length }, (_, index) => classOf(dataset, index));
}

/**
 * Rows of labels as a network takes them, `[indices.length, labelDim]`: one-hot for classes, vectors as they are.
 *
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * labelRows(subset(emoji, [0, 1050]), [1]); // Float32Array [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
 * ```
 */
export function labelRows(dataset: ImageDataset, indices: readonly number[]): Float32Array {
  const { labelDim } = dataset;
  const rows = new Float32Array(indices.length * labelDim);
  indices.forEach((index, row) => {
    const label = dataset.label?.(index);
    if (label === undefined) return;
    if (typeof label === 'number') rows[row * labelDim + label] = 1;
    else rows.set(label, row * labelDim);
  });
  return rows;
}

function classOf(dataset: ImageDataset, index: number): number {
  const label = dataset.label?.(index);
  if (typeof label === 'number') return label;
  throw new Error(`${dataset.name}: ${label === undefined ? 'has no labels' : 'labels are vectors, not classes'}`);
}
