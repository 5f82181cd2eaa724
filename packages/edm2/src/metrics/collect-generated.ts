import type { Precond } from '../network/precondition.ts';
import { type GenerateOptions, generateImages } from '../sample/generate.ts';
import type { StatisticsCollector } from './collect.ts';

/** Options of {@link collectGenerated}. */
export interface CollectGeneratedOptions extends GenerateOptions {
  /** Called after each batch with the pictures, `[C, R, R]` each. */
  readonly onImages?: (
    done: number,
    batch: { images: readonly Uint8Array[]; labels: readonly number[] | null },
  ) => void;
}

/**
 * Adds a network's pictures of these seeds to a collector: published figures take 50,000, from seeds 0, 50,000 or 100,000
 * on, and the least of three.
 *
 * @example
 * ```ts
 * using classifier = await loadEmoji16Classifier();
 * const extractors = new Map([['emoji16', emoji16Features(classifier)]] as const);
 * const collector = new StatisticsCollector({ metrics: [metrics.get('fd_small')!], extractors });
 * const net = new Precond({ imgResolution: 16, imgChannels: 3, labelDim: 10, modelChannels: 8, channelMult: [1], numBlocks: 1 });
 * await collectGenerated(net, collector, [0, 1, 2], { steps: 2 });
 * collector.count; // 3
 * ```
 */
export async function collectGenerated(
  net: Precond,
  collector: StatisticsCollector,
  seeds: readonly number[],
  { onImages, ...options }: CollectGeneratedOptions = {},
): Promise<void> {
  let done = 0;
  for await (const { images, labels } of generateImages(net, seeds, options)) {
    const side = images[0]!.length;
    const channels = Number.isInteger(Math.sqrt(side)) ? 1 : 3;
    await collector.add(images, { channels, ...(labels && { labels }) });
    done += images.length;
    onImages?.(done, { images, labels });
  }
}
