import { Generator } from '@evenkeel/tensor';
import type { ImageDataset } from '../data/dataset.ts';
import { type FeatureExtractor, type PixelBatch, pixelBatch } from './extractors/feature-extractor.ts';
import { evenMixture, type FeatureStatistics, RunningStatistics } from './feature-statistics.ts';
import type { ExtractorName, Metric } from './metric.ts';
import type { FeatureRows, ImageSetStatistics } from './reference.ts';

/** Options of {@link StatisticsCollector}. */
export interface StatisticsCollectorOptions {
  readonly metrics: readonly Metric[];
  /** Those that the metrics need. */
  readonly extractors: ReadonlyMap<ExtractorName, FeatureExtractor>;
  /** Lets every class count alike, however many images it has. @defaultValue false: every image does */
  readonly balanced?: boolean;
}

/**
 * Gathers what metrics need of images that come batch after batch. Means and covariances are summed; features are kept only
 * for metrics that compare them one by one.
 *
 * @example
 * ```ts
 * using classifier = await loadEmoji16Classifier();
 * const collector = new StatisticsCollector({
 *   metrics: [metrics.get('fd_small')!],
 *   extractors: new Map([['emoji16', emoji16Features(classifier)]]),
 * });
 * const emoji = await loadEmoji16();
 * await collector.add([0, 1, 2, 3].map((index) => emoji.image(index)), { channels: 3 });
 * collector.result().count; // 4
 * ```
 */
export class StatisticsCollector {
  readonly #options: StatisticsCollectorOptions;
  /** By extractor, then by class; without balance all are of class 0. */
  readonly #moments = new Map<ExtractorName, Map<number, RunningStatistics>>();
  readonly #features = new Map<ExtractorName, Float32Array[]>();
  #count = 0;

  constructor(options: StatisticsCollectorOptions) {
    const { metrics, extractors, balanced = false } = options;
    const without = metrics.find(({ extractor }) => !extractors.has(extractor));
    if (without !== undefined)
      throw new Error(`StatisticsCollector: ${without.name} needs features of ${without.extractor}`);
    const kernel = metrics.find(({ distance }) => distance === 'kernel');
    if (balanced && kernel !== undefined)
      throw new Error(`StatisticsCollector: ${kernel.name} cannot be balanced by class`);
    this.#options = options;
  }

  /** Images so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * @param pictures pixels `[C, R, R]` of each, 0 to 255; grey ones become RGB.
   * @param about their channels, and classes where classes are balanced.
   */
  async add(
    pictures: readonly Uint8Array[],
    { channels, labels }: { readonly channels: number; readonly labels?: readonly number[] },
  ): Promise<void> {
    const batch = pixelBatch(pictures, channels);
    for (const [name, extractor] of this.#options.extractors) {
      const metrics = this.#options.metrics.filter((metric) => metric.extractor === name);
      if (metrics.length > 0) await this.#addFeatures(name, { extractor, metrics, batch, labels });
    }
    this.#count += pictures.length;
  }

  async #addFeatures(name: ExtractorName, { extractor, metrics, batch, labels }: Addition): Promise<void> {
    const features = await extractor.features(batch);
    const size = extractor.featureDim;
    if (features.length !== batch.shape[0] * size) {
      throw new Error(
        `${extractor.name}: gave ${features.length} features for ${batch.shape[0]} pictures, not ${size} each`,
      );
    }
    if (metrics.some(({ distance }) => distance === 'kernel')) {
      this.#features.set(name, [...(this.#features.get(name) ?? []), features]);
    }
    if (!metrics.some(({ distance }) => distance === 'frechet')) return;
    const byClass = this.#moments.get(name) ?? new Map<number, RunningStatistics>();
    this.#moments.set(name, byClass);
    for (let i = 0; i < batch.shape[0]; i++) {
      const label = this.#options.balanced ? (labels?.[i] ?? 0) : 0;
      let statistics = byClass.get(label);
      if (statistics === undefined) {
        statistics = new RunningStatistics(size);
        byClass.set(label, statistics);
      }
      statistics.add(features.subarray(i * size, (i + 1) * size));
    }
  }

  /** @throws RangeError with fewer than two images, or of a class where classes are balanced. */
  result(): ImageSetStatistics {
    const moments = new Map<string, FeatureStatistics>();
    const features = new Map<string, FeatureRows>();
    for (const { name, extractor, distance } of this.#options.metrics) {
      if (distance === 'frechet') {
        const parts = [...(this.#moments.get(extractor)?.values() ?? [])].map((part) => part.result());
        if (parts.length === 0) throw new RangeError('StatisticsCollector: got no images');
        moments.set(name, parts.length === 1 ? parts[0]! : evenMixture(parts));
      } else {
        const { featureDim } = this.#options.extractors.get(extractor) as FeatureExtractor;
        features.set(name, { featureDim, rows: joined(this.#features.get(extractor) ?? []) });
      }
    }
    return { count: this.#count, moments, features };
  }
}

interface Addition {
  readonly extractor: FeatureExtractor;
  readonly metrics: readonly Metric[];
  readonly batch: PixelBatch;
  readonly labels: readonly number[] | undefined;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Which images of a data set {@link collectDataset} takes, and how. */
export interface CollectOptions {
  /** How many; where there are more, they are drawn by `seed`. @defaultValue all */
  readonly num?: number;
  /** @defaultValue 0 */
  readonly seed?: number;
  /** Images at a time. @defaultValue 64 */
  readonly batchSize?: number;
  /** Called after each batch; throw in it to stop. */
  readonly onImages?: (done: number, total: number) => void;
}

/**
 * Adds the images of a data set to a collector.
 *
 * @throws RangeError when there are fewer images than asked for; Error when they are latents, not pixels.
 * @example
 * ```ts
 * using classifier = await loadEmoji16Classifier();
 * const extractors = new Map([['emoji16', emoji16Features(classifier)]] as const);
 * const collector = new StatisticsCollector({ metrics: [metrics.get('fd_small')!], extractors, balanced: true });
 * await collectDataset(await loadEmoji16(), collector, { num: 200 });
 * collector.count; // 200
 * ```
 */
export async function collectDataset(
  dataset: ImageDataset,
  collector: StatisticsCollector,
  { num = dataset.length, seed = 0, batchSize = 64, onImages }: CollectOptions = {},
): Promise<void> {
  const { name, length, channels } = dataset;
  if (num > length)
    throw new RangeError(`${name}: holds ${length} images, ${num} are asked for. Give --num ${length} or fewer`);
  if (channels !== 1 && channels !== 3) {
    throw new Error(`${name}: holds latents of ${channels} channels; metrics need pixels. Decode them first`);
  }
  const order = num < length ? new Generator(seed).shuffle(length).slice(0, num).sort() : undefined;
  for (let from = 0; from < num; from += batchSize) {
    const indices = Array.from({ length: Math.min(batchSize, num - from) }, (_, i) => order?.[from + i] ?? from + i);
    const pictures: Uint8Array[] = [];
    for (const index of indices) pictures.push((await dataset.image(index)) as Uint8Array);
    const labels = indices.map((index) => dataset.label?.(index) ?? 0);
    const classes = labels.every((label) => typeof label === 'number') ? (labels as number[]) : undefined;
    await collector.add(pictures, { channels, ...(classes && { labels: classes }) });
    onImages?.(from + pictures.length, num);
  }
}
