import { decodePng, type RasterImage, readNpy } from '@evenkeel/formats';
import type { ImageValues } from '../../data/dataset.ts';
import { decodeWithSharp } from './sharp.ts';

/** An image of any size, channels first. */
export interface PlanarImage {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** `[channels, height, width]`. */
  readonly values: ImageValues;
}

const bySharp = ['jpg', 'jpeg', 'webp', 'gif', 'tif', 'tiff', 'avif'];
const endings = new RegExp(`\\.(png|npy|${bySharp.join('|')})$`, 'i');

/** Whether a file of this name is taken for an image. */
export function isImageName(name: string): boolean {
  return endings.test(name);
}

/**
 * The image in a file: PNG, npy (`[..., H, W]`, bytes or floats), and what the optional package `sharp` reads.
 *
 * @param where starts every error message: the folder or archive.
 */
export async function readImageFile(bytes: Uint8Array, name: string, where: string): Promise<PlanarImage> {
  if (/\.npy$/i.test(name)) return readArray(bytes, name, where);
  return planar(await readPicture(bytes, name, where));
}

/** The same for pictures alone, channels last. */
export async function readPicture(bytes: Uint8Array, name: string, where: string): Promise<RasterImage> {
  try {
    return /\.png$/i.test(name) ? decodePng(bytes, { file: name }) : await decodeWithSharp(bytes, name);
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message.replace(/^decodePng /, '')}`, { cause: error });
  }
}

function readArray(bytes: Uint8Array, name: string, where: string): PlanarImage {
  const fail = (message: string): Error => new Error(`${where}: ${name}: ${message}`);
  let array: ReturnType<typeof readNpy>;
  try {
    array = readNpy(bytes);
  } catch (error) {
    throw fail((error as Error).message.replace(/^readNpy: /, ''));
  }
  const { shape, dtype, data } = array;
  const [height, width] = shape.slice(-2);
  if (height === undefined || width === undefined || data.length === 0) {
    throw fail(`shape [${shape.join(', ')}] is not [C, H, W]`);
  }
  if (dtype !== 'uint8' && !dtype.startsWith('float')) {
    throw fail(`holds ${dtype}: pixels are uint8, latents float32`);
  }
  const values = data instanceof Uint8Array ? data : Float32Array.from(data as ArrayLike<number>);
  return { channels: data.length / (height * width), height, width, values };
}

/** Channels first instead of last. */
export function planar({ width, height, channels, data }: RasterImage): PlanarImage {
  const plane = width * height;
  const values = new Uint8Array(data.length);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < plane; i++) values[c * plane + i] = data[i * channels + c]!;
  }
  return { channels, height, width, values };
}
