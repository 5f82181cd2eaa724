import type { Generator, Tensor } from '@evenkeel/tensor';
import type { EncoderName } from '../network/network-metadata.ts';
import { latentsToPixels } from './rgb.ts';
import { type LatentDecoder, latentsOfMoments, rawLatentsOf, stabilityChannels } from './stability-latents.ts';

/** Between what a data set stores and what a network is trained on. */
export interface ImageEncoder {
  readonly name: EncoderName;
  /** Channels of the latents: `imgChannels` of the network. */
  readonly latentChannels: number;
  /**
   * Latents `[N, latentChannels, R, R]` of stored values `[N, channels, R, R]`, lazily, with fresh noise where latents are
   * drawn from a distribution: for a training step's graph.
   */
  encode(raw: Tensor, random: Generator): Tensor;
  /** Pixels `[3 or 1, H, W]`, 0 to 255, of each of the latents `[N, latentChannels, R, R]`. */
  decode(latents: Tensor): Promise<Uint8Array[]>;
}

/**
 * The encoder of pixels: latents are `pixel / 127.5 - 1`, pixels `trunc(clip(127.5 latent + 128, 0, 255))`.
 *
 * @param channels 3, or 1 for grey.
 * @example
 * ```ts
 * const encoder = rgbEncoder();
 * const latents = encoder.encode(tensor([0, 51, 255], { shape: [1, 3, 1, 1] }), new Generator(0));
 * latents.reshape([3]); // [-1, -0.6, 1]
 * const [pixels] = await encoder.decode(latents);
 * pixels; // Uint8Array [0, 51, 255]
 * ```
 */
export function rgbEncoder(channels: 1 | 3 = 3): ImageEncoder {
  return {
    name: 'rgb',
    latentChannels: channels,
    encode(raw) {
      requireChannels('rgbEncoder', raw, channels);
      return raw.div(127.5).sub(1);
    },
    async decode(latents) {
      requireChannels('rgbEncoder', latents, channels);
      const pixels = latentsToPixels((await latents.data()) as ArrayLike<number>);
      const size = pixels.length / (latents.shape[0] as number);
      return Array.from({ length: latents.shape[0] as number }, (_, i) => pixels.slice(i * size, (i + 1) * size));
    },
  };
}

/** Options of {@link stabilityVaeEncoder}. */
export interface StabilityVaeEncoderOptions {
  /** What makes pixels of latents; without it `decode` throws. Training does not need it. */
  readonly vae?: LatentDecoder;
}

/**
 * The encoder of what the Stable Diffusion VAE made of images: 8 stored channels, means and standard deviations, become 4,
 * drawn anew each time, moved and scaled to mean 0 and standard deviation 0.5.
 *
 * @example
 * ```ts
 * const encoder = stabilityVaeEncoder();
 * encoder.encode(zeros([2, 8, 64, 64]), new Generator(0)); // [2, 4, 64, 64]
 * ```
 */
export function stabilityVaeEncoder({ vae }: StabilityVaeEncoderOptions = {}): ImageEncoder {
  return {
    name: 'stability-vae',
    latentChannels: stabilityChannels,
    encode(raw, random) {
      requireChannels('stabilityVaeEncoder', raw, 2 * stabilityChannels);
      const [samples, , ...sides] = raw.shape as [number, number, number, number];
      return latentsOfMoments(raw, random.normal([samples, stabilityChannels, ...sides], { dtype: floatOf(raw) }));
    },
    async decode(latents) {
      requireChannels('stabilityVaeEncoder', latents, stabilityChannels);
      if (vae === undefined) {
        throw new Error('stabilityVaeEncoder: has no VAE to make pixels with. Give { vae }, from loadStabilityVae');
      }
      const images: Uint8Array[] = [];
      // One at a time: a picture of 512 x 512 pixels takes a gigabyte on its way.
      for (let i = 0; i < (latents.shape[0] as number); i++) {
        images.push(await pixelsOfRaw(vae, rawLatentsOf(latents.slice([i, i + 1]))));
      }
      return images;
    },
  };
}

/**
 * The encoder that stored images ask for: pixels for 3 channels or 1, the Stable Diffusion VAE for 8.
 *
 * @throws for other numbers of channels.
 * @example
 * ```ts
 * imageEncoderFor(8).name; // 'stability-vae'
 * ```
 */
export function imageEncoderFor(channels: number, options: StabilityVaeEncoderOptions = {}): ImageEncoder {
  if (channels === 3 || channels === 1) return rgbEncoder(channels);
  if (channels === 2 * stabilityChannels) return stabilityVaeEncoder(options);
  throw new Error(
    `imageEncoderFor: images of ${channels} channels are neither grey (1), RGB (3) nor latents of the Stable Diffusion VAE (8)`,
  );
}

/** Pixels of the one picture that raw latents `[1, 4, h, w]` stand for: clipped to 0 and 1, times 255, truncated. */
export async function pixelsOfRaw(vae: LatentDecoder, raw: Tensor): Promise<Uint8Array> {
  return Uint8Array.from((await vae.decode(raw).clip(0, 1).mul(255).data()) as ArrayLike<number>);
}

function requireChannels(where: string, { shape }: Tensor, channels: number): void {
  if (shape.length === 4 && shape[1] === channels) return;
  throw new Error(`${where}: wants [N, ${channels}, H, W], got shape [${shape.join(', ')}]`);
}

function floatOf({ dtype }: Tensor): 'float32' | 'float64' {
  return dtype === 'float64' ? 'float64' : 'float32';
}
