import { encodePng, writeNpy } from '@evenkeel/formats';
import { tensor } from '@evenkeel/tensor';
import { pixelsOfRaw } from '../../data/image-encoder.ts';
import { rawLatentsOf } from '../../data/stability-latents.ts';
import type { AutoencoderKL } from '../../vae/index.ts';
import { type DatasetReport, type DatasetWorkOptions, eachImage, rgbRaster } from './convert.ts';
import { imageName } from './dataset-writer.ts';
import { planar } from './image-file.ts';

/** Options of {@link encodeDataset} and {@link decodeDataset}. */
export interface LatentWorkOptions extends DatasetWorkOptions {
  /** What `loadStabilityVae` gives. */
  readonly vae: AutoencoderKL;
}

/**
 * Makes a data set of latents: for each image a float32 npy file `[8, H / 8, W / 8]`, the VAE's means and standard deviations
 * of pixels from 0 to 1, one image at a time.
 *
 * @throws Error, one line, when an image is damaged or does not fit the VAE; the destination is as before then.
 * @example
 * ```ts
 * const vae = new AutoencoderKL({ blockChannels: [8, 16], normGroups: 4, layersPerBlock: 1 }); // or loadStabilityVae(file)
 * const pixels = encodePng({ width: 16, height: 16, channels: 3, data: new Uint8Array(768) });
 * await writeFileAtomically('pictures/0.png', pixels);
 * await encodeDataset({ source: 'pictures', dest: 'latents.zip', vae }); // { written: 1 }
 *
 * const latents = await openImageDataset('latents.zip');
 * [latents.channels, latents.resolution]; // [8, 8]
 * await latents.close();
 * ```
 */
export async function encodeDataset(options: LatentWorkOptions): Promise<DatasetReport> {
  const { vae } = options;
  return eachImage(options, async (collection, index) => {
    const [name, image] = [collection.names[index]!, await collection.read(index)];
    const picture = planar(rgbRaster(image, name, collection.path));
    const { width, height } = picture;
    if (width % vae.factor !== 0 || height % vae.factor !== 0) {
      throw new Error(
        `${collection.path}: ${name} is ${width} x ${height} pixels, the VAE needs multiples of ${vae.factor}. Resize: edm2 dataset convert`,
      );
    }
    const pixels = tensor(Float32Array.from(picture.values), { shape: [1, 3, height, width] });
    const moments = vae.encode(pixels.div(255));
    const data = Float32Array.from((await moments.data()) as ArrayLike<number>);
    const content = writeNpy({ dtype: 'float32', shape: moments.shape.slice(1), data });
    return { name: imageName(index, 'img-mean-std-*.npy'), content };
  });
}

/**
 * Makes pictures of latents, one at a time: of stored means and standard deviations (8 channels) the means, of latents as
 * networks make them (4 channels) what the encoder of EDM2 says.
 *
 * @throws Error, one line, when a file is damaged or holds no latents; the destination is as before then.
 * @example
 * ```ts
 * const vae = new AutoencoderKL({ blockChannels: [8, 16], normGroups: 4, layersPerBlock: 1 }); // or loadStabilityVae(file)
 * const latents = writeNpy({ dtype: 'float32', shape: [4, 8, 8], data: new Float32Array(256) });
 * await writeFileAtomically('samples/0.npy', latents);
 * await decodeDataset({ source: 'samples', dest: 'decoded', vae }); // { written: 1 }
 * ```
 */
export async function decodeDataset(options: LatentWorkOptions): Promise<DatasetReport> {
  const { vae } = options;
  const { latentChannels } = vae.shape;
  return eachImage(options, async (collection, index) => {
    const [name, image] = [collection.names[index]!, await collection.read(index)];
    const { channels, height, width, values } = image;
    if (!(values instanceof Float32Array) || (channels !== latentChannels && channels !== 2 * latentChannels)) {
      const kind = values instanceof Float32Array ? 'floats' : 'pixels';
      throw new Error(
        `${collection.path}: ${name} holds ${channels} channels of ${kind}, not latents: ${latentChannels} or ${2 * latentChannels} of floats`,
      );
    }
    const shape = [1, latentChannels, height, width];
    const stored = tensor(values.slice(0, latentChannels * height * width), { shape });
    const pixels = await pixelsOfRaw(vae, channels === latentChannels ? rawLatentsOf(stored) : stored);
    const size = { channels: 3, height: height * vae.factor, width: width * vae.factor };
    const picture = rgbRaster({ ...size, values: pixels }, name, collection.path);
    return { name: imageName(index, 'img*.png'), content: encodePng(picture, { level: 0 }) };
  });
}
