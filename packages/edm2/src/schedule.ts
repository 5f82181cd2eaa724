/** Options of {@link learningRate}. */
export interface LearningRateOptions {
  /** Images of a training step. */
  readonly batchSize: number;
  /** The rate before it decays. @defaultValue 0.01 */
  readonly referenceRate?: number;
  /** Steps after which the rate starts to fall; 0 for never. @defaultValue 70000 */
  readonly decayBatches?: number;
  /** Images over which the rate rises from 0; 0 for no rise. @defaultValue 10,000,000 */
  readonly rampupImages?: number;
}

/**
 * The learning rate of the step that begins when `images` images have been seen: a linear rise, then an inverse square
 * root decay, lr = ref / sqrt(max(n / (decayBatches batch), 1)) min(n / rampupImages, 1). With a rise, the first step's
 * rate is exactly 0.
 *
 * Source: arXiv 2312.02696, equation 67.
 *
 * @example
 * ```ts
 * learningRate(1_048_576, { batchSize: 2048 }); // 0.001048576
 * ```
 */
export function learningRate(images: number, options: LearningRateOptions): number {
  const { batchSize, referenceRate = 0.01, decayBatches = 70_000, rampupImages = 10_000_000 } = options;
  let rate = referenceRate;
  if (decayBatches > 0) rate /= Math.sqrt(Math.max(images / (decayBatches * batchSize), 1));
  if (rampupImages > 0) rate *= Math.min(images / rampupImages, 1);
  return rate;
}
