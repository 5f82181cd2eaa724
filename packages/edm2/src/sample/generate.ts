import { oneHot, type Tensor, tensor } from '@evenkeel/tensor';
import { type ImageEncoder, rgbEncoder } from '../data/image-encoder.ts';
import type { Precond } from '../network/precondition.ts';
import type { Churn } from './churn.ts';
import { PerSeedRandom } from './per-seed.ts';
import { type SampleOptions, sample } from './sample.ts';

/** Options of {@link generateImages}. */
export interface GenerateOptions extends Omit<SampleOptions, 'labels' | 'churn'> {
  /** Most images computed together. @defaultValue 32 */
  readonly batchSize?: number;
  /** Class of all images. @defaultValue one drawn for each, all equally likely */
  readonly label?: number | undefined;
  /** Classes of each, by seed. @defaultValue see {@link label} */
  readonly labelOf?: (seed: number) => number;
  /** Stochastic sampling; the noise of each image comes from its seed. */
  readonly churn?: Omit<Churn, 'random'>;
  /** Makes pixels of latents. @defaultValue `rgbEncoder`, for networks of 3 channels or 1 */
  readonly encoder?: ImageEncoder;
}

/** Some of the images that were asked for. */
export interface GeneratedImages {
  readonly seeds: readonly number[];
  /** Class of each, or null where the network has none. */
  readonly labels: readonly number[] | null;
  /** Pixels `[C, H, W]` of each, 0 to 255. */
  readonly images: readonly Uint8Array[];
}

/**
 * One image for each seed, batch after batch. A seed's generator draws the noise, then the class (also where another one is
 * asked for), then the noise of churn, so an image is the same in any batch, but for the rounding of sums that a batch's
 * size may order otherwise. Batches are of about equal size.
 *
 * @throws when there are no seeds, the class is none of the network's, or latents need an encoder that is not given.
 * @example
 * ```ts
 * const net = new Precond({ imgResolution: 8, imgChannels: 3, labelDim: 10, modelChannels: 8, channelMult: [1], numBlocks: 1 });
 * for await (const { seeds, images } of generateImages(net, [0, 1, 2, 3, 4], { batchSize: 3, steps: 2 })) {
 *   console.log(seeds, images[0]?.length);
 * }
 * ```
 */
export async function* generateImages(
  net: Precond,
  seeds: readonly number[],
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedImages, void, void> {
  const { batchSize = 32, label, labelOf, churn, encoder = pixelEncoder(net), ...sampling } = options;
  const { imgChannels, imgResolution, labelDim } = net.options;
  if (label !== undefined && !(Number.isInteger(label) && label >= 0 && label < labelDim)) {
    throw new RangeError(`generateImages: class ${label} of a network of ${labelDim} classes`);
  }
  for (const { own, padded } of batchesOf(seeds, batchSize)) {
    const random = new PerSeedRandom(padded);
    const noise = random.normal([padded.length, imgChannels, imgResolution, imgResolution]);
    let labels: number[] | null = null;
    if (labelDim > 0) {
      const drawn = await random.integers(labelDim).data();
      labels = padded.map((seed, i) => label ?? labelOf?.(seed) ?? (drawn[i] as number));
    }
    const latents: Tensor = await sample(net, noise, {
      ...sampling,
      labels: labels && oneHot(tensor(Int32Array.from(labels)), labelDim),
      ...(churn && { churn: { ...churn, random } }),
    });
    const images = await encoder.decode(latents.slice([0, own.length]));
    yield { seeds: own, labels: labels?.slice(0, own.length) ?? null, images };
  }
}

function pixelEncoder(net: Precond): ImageEncoder {
  const { imgChannels } = net.options;
  if (imgChannels === 1 || imgChannels === 3) return rgbEncoder(imgChannels);
  throw new Error(`generateImages: the network makes latents of ${imgChannels} channels. Give the encoder of its data`);
}

interface SeedBatch {
  readonly own: readonly number[];
  /** As many in all batches, so that one plan serves all: the last seed fills up. */
  readonly padded: readonly number[];
}

function batchesOf(seeds: readonly number[], batchSize: number): SeedBatch[] {
  if (seeds.length === 0) throw new RangeError('generateImages: got no seeds');
  if (!(Number.isInteger(batchSize) && batchSize >= 1)) {
    throw new RangeError(`generateImages: a batch has at least 1 image, got ${batchSize}`);
  }
  const count = Math.ceil(seeds.length / batchSize);
  const size = Math.ceil(seeds.length / count);
  return Array.from({ length: count }, (_, i) => {
    const own = seeds.slice(Math.floor((i * seeds.length) / count), Math.floor(((i + 1) * seeds.length) / count));
    return { own, padded: Array.from({ length: size }, (__, k) => own[Math.min(k, own.length - 1)] as number) };
  });
}
