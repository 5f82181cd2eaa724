import { Generator, oneHot, stack, type Tensor, tensor } from '@evenkeel/tensor';
import type { PictureSet } from '../data/dataset.ts';
import { pixelsToLatents } from '../data/rgb.ts';
import type { Precond } from '../network/precondition.ts';

/** Fixed (image, noise level, noise) triples on which networks can be compared. */
export interface DenoisingTriples {
  /** Clean latents, `[N, C, R, R]`, -1 to 1. */
  readonly images: Tensor;
  /** One-hot rows, `[N, labelDim]`. */
  readonly labels: Tensor;
  /** Noise levels, `[N]`. */
  readonly sigma: Tensor;
  /** Unit normals, `[N, C, R, R]`. */
  readonly noise: Tensor;
}

/** Options of {@link denoisingTriples}. */
export interface DenoisingTriplesOptions {
  /** Images of the data set to use, such as held-out ones; they are cycled through. */
  readonly indices: ArrayLike<number>;
  /** How many triples. @defaultValue 64 */
  readonly count?: number;
  /** @defaultValue 0 */
  readonly seed?: number;
  /** ln(sigma) is normal with this mean and standard deviation. @defaultValue -0.4 and 1 */
  readonly pMean?: number;
  readonly pStd?: number;
}

/**
 * Triples that are a pure function of the data set and the options.
 *
 * @throws RangeError when there are no indices.
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * const triples = denoisingTriples(emoji, { indices: splitHeldOut(emoji).heldOut, count: 128 });
 * triples.images; // [128, 3, 16, 16]
 * ```
 */
export function denoisingTriples(dataset: PictureSet, options: DenoisingTriplesOptions): DenoisingTriples {
  const { indices, count = 64, seed = 0, pMean = -0.4, pStd = 1 } = options;
  if (indices.length === 0) throw new RangeError('denoisingTriples: no images to draw from');
  const { channels, resolution, labelDim } = dataset;
  const size = channels * resolution ** 2;
  const images = new Float32Array(count * size);
  const labels = new Int32Array(count);
  // A stride that visits all parts of the list, whatever its order.
  for (let i = 0; i < count; i++) {
    const index = indices[Math.floor((i * indices.length) / count) % indices.length] as number;
    images.set(pixelsToLatents(dataset.image(index)), i * size);
    labels[i] = dataset.label(index);
  }
  const random = new Generator(seed);
  const shape = [count, channels, resolution, resolution];
  return {
    images: tensor(images, { shape }),
    labels: oneHot(tensor(labels), labelDim),
    sigma: random.normal([count]).mul(pStd).add(pMean).exp(),
    noise: random.normal(shape),
  };
}

/** What a network leaves of the noise, and what one that has learned nothing leaves. */
export interface DenoisingError {
  /** Mean of lambda(sigma) (D - y)^2 over all elements, without the uncertainty term. */
  readonly error: number;
  /** The same of D = cSkip x: the network's output F at 0, as before training. */
  readonly baseline: number;
}

/**
 * Mean of lambda(sigma) (D(y + sigma n; sigma) - y)^2 with lambda = (sigma^2 + sigmaData^2) / (sigma sigmaData)^2.
 *
 * Source: arXiv 2312.02696, equations 13 to 15; a mean over elements.
 *
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * const triples = denoisingTriples(emoji, { indices: splitHeldOut(emoji).heldOut, count: 4 });
 * const [imgChannels, labelDim] = [emoji.channels, emoji.labelDim];
 * const net = new Precond({ imgResolution: 16, imgChannels, labelDim, modelChannels: 8, channelMult: [1], numBlocks: 1 });
 * const { error, baseline } = await denoisingError(net, triples);
 * error === baseline; // true, before training; and near 1
 * ```
 */
export async function denoisingError(net: Precond, triples: DenoisingTriples): Promise<DenoisingError> {
  const { images, labels, noise } = triples;
  const { sigmaData } = net;
  const sigma = triples.sigma.reshape([-1, 1, 1, 1]);
  const noisy = images.add(noise.mul(sigma));
  const variance = sigma.square().add(sigmaData ** 2);
  const lambda = variance.div(sigma.mul(sigmaData).square());
  const meanError = (denoised: Tensor): Tensor => denoised.sub(images).square().mul(lambda).mean();
  const wasTraining = net.training;
  net.eval();
  const error = meanError(net.denoise(noisy, triples.sigma, labels));
  net.train(wasTraining);
  const both = stack([error, meanError(noisy.mul(sigmaData ** 2).div(variance))]);
  const [own, baseline] = (await both.data()) as unknown as [number, number];
  return { error: own, baseline };
}
