import { convertIndexedToRgb, decode, encode } from 'fast-png';
import { largestExpansion } from './zip.ts';

/** 8-bit pixels, row by row, channels innermost (`[H, W, C]`): grey, grey + alpha, RGB or RGBA. */
export interface RasterImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  readonly data: Uint8Array;
}

/** Options of {@link decodePng}. */
export interface PngReadOptions {
  /** Names the file in error messages. */
  readonly file?: string;
}

/** Options of {@link encodePng}. */
export interface PngWriteOptions {
  /** How hard zlib tries: 0 stores pixels as they are, 9 is smallest. Default 9. */
  readonly level?: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
}

const channelsOfColorType: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Larger pictures are refused before anything is allocated. */
const mostPixels = 2 ** 28;

/**
 * Encodes pixels as PNG, 8 bits per channel, deflated unless told not to be.
 *
 * @throws RangeError when a side is not a positive integer or `data` does not hold width x height x channels values.
 * @example
 * ```ts
 * const png = encodePng({ width: 2, height: 1, channels: 3, data: new Uint8Array([255, 0, 0, 0, 0, 255]) });
 * ```
 */
export function encodePng(image: RasterImage, { level = 9 }: PngWriteOptions = {}): Uint8Array {
  const { width, height, channels, data } = image;
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1)
      throw new RangeError(`encodePng: a side of ${width} x ${height} is not a size`);
  }
  if (![1, 2, 3, 4].includes(channels)) throw new RangeError(`encodePng: ${channels} channels, PNG holds 1 to 4`);
  if (data.length !== width * height * channels) {
    throw new RangeError(
      `encodePng: ${width} x ${height} x ${channels} needs ${width * height * channels} values, got ${data.length}`,
    );
  }
  return encode({ width, height, channels, depth: 8, data }, { zlib: { level } });
}

/**
 * Decodes a PNG of 8 bits per channel, or with a palette (which becomes RGB or RGBA). Checksums are verified.
 *
 * @throws Error, one line, when the file is damaged, cut off, of another bit depth, or above 2^28 pixels.
 * @example
 * ```ts
 * const red = encodePng({ width: 1, height: 1, channels: 3, data: new Uint8Array([255, 0, 0]) }); // or a file's bytes
 * decodePng(red, { file: 'red.png' }); // { width: 1, height: 1, channels: 3, data: [255, 0, 0] }
 * ```
 */
export function decodePng(bytes: Uint8Array, options: PngReadOptions = {}): RasterImage {
  const where = `decodePng${options.file === undefined ? '' : ` ${options.file}`}`;
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  if (bytes.length < 33 || signature.some((byte, i) => bytes[i] !== byte)) throw new Error(`${where}: not a PNG file`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pixels = view.getUint32(16) * view.getUint32(20);
  if (pixels === 0 || pixels > mostPixels) {
    throw new Error(`${where}: ${view.getUint32(16)} x ${view.getUint32(20)} pixels, the limit is 2^28 and 1 at least`);
  }
  // Deflate cannot expand more: a larger claim is not worth an allocation.
  const bits = view.getUint8(24) * (channelsOfColorType[view.getUint8(25)] ?? 1);
  if ((pixels * bits) / 8 > bytes.length * largestExpansion) throw new Error(`${where}: pixels are cut off`);
  const png = decodeChecked(bytes, where);
  const { width, height, palette } = png;
  if (palette !== undefined) {
    const channels = palette[0]?.length === 4 ? 4 : 3;
    return { width, height, channels, data: png.data as Uint8Array };
  }
  if (png.depth !== 8) throw new Error(`${where}: ${png.depth} bits per channel. Convert it to 8`);
  if (png.data.length !== width * height * png.channels) throw new Error(`${where}: pixels are cut off`);
  return { width, height, channels: png.channels as RasterImage['channels'], data: png.data as Uint8Array };
}

function decodeChecked(bytes: Uint8Array, where: string) {
  try {
    const png = decode(bytes, { checkCrc: true });
    return png.palette === undefined ? png : { ...png, data: convertIndexedToRgb(png) };
  } catch (error) {
    const [, reason] = /^(.*?):?$/m.exec(error instanceof Error ? error.message : String(error)) ?? [];
    throw new Error(`${where}: damaged or cut off (${reason})`, { cause: error });
  }
}
