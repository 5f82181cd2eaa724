import type { RasterImage } from '@evenkeel/formats';

/** What is used of the optional package `sharp`: a function from a file's bytes to pixels. */
export type Sharp = (bytes: Uint8Array) => {
  metadata(): Promise<{ space?: string }>;
  toColourspace(name: 'srgb' | 'b-w'): {
    raw(): {
      toBuffer(options: { resolveWithObject: true }): Promise<{
        data: Uint8Array;
        info: { width: number; height: number; channels: RasterImage['channels'] };
      }>;
    };
  };
};

/**
 * @param load what gives `sharp`.
 * @throws one line when `sharp` is not installed, or the picture is damaged or of a kind that it does not know.
 */
export async function decodeWithSharp(bytes: Uint8Array, name: string, load = importSharp): Promise<RasterImage> {
  const sharp = await load().catch(() => {
    throw new Error(`${name}: only PNG and npy are read without the package 'sharp'. Install it: npm install sharp`);
  });
  try {
    const picture = sharp(bytes);
    // Grey stays grey, one channel of it.
    const space = (await picture.metadata()).space === 'b-w' ? 'b-w' : 'srgb';
    const { data, info } = await picture.toColourspace(space).raw().toBuffer({ resolveWithObject: true });
    return { ...info, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  } catch (error) {
    throw new Error(`${name}: damaged or cut off (${(error as Error).message.split('\n')[0]})`, { cause: error });
  }
}

async function importSharp(): Promise<Sharp> {
  const name: string = 'sharp'; // a type of string: it need not be there to be compiled against
  return ((await import(/* @vite-ignore */ name)) as { default: Sharp }).default;
}
