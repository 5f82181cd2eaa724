import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { encodePng } from '@evenkeel/formats';
import { writeFileAtomically } from '@evenkeel/formats/node';
import type { Precond } from '../../network/precondition.ts';
import { type GenerateOptions, generateImages } from '../../sample/generate.ts';

/** Where the picture of a seed is written. */
export interface SeedFileOptions {
  /** A folder for each thousand seeds. @defaultValue false */
  readonly subdirs?: boolean;
}

/**
 * The file of a seed's picture, as published code names it.
 *
 * @example
 * ```ts
 * seedFile('out', 1234); // 'out/001234.png'
 * seedFile('out', 1234, { subdirs: true }); // 'out/001000/001234.png'
 * ```
 */
export function seedFile(folder: string, seed: number, { subdirs = false }: SeedFileOptions = {}): string {
  const padded = (value: number): string => String(value).padStart(6, '0');
  const name = `${padded(seed)}.png`;
  return subdirs ? join(folder, padded(Math.floor(seed / 1000) * 1000), name) : join(folder, name);
}

/** Options of {@link generateImageFiles}. */
export interface GenerateFilesOptions extends GenerateOptions, SeedFileOptions {
  readonly folder: string;
  /** Makes pictures anew that are there. @defaultValue false: their seeds are left out */
  readonly overwrite?: boolean;
  /** Called after each batch. */
  readonly onBatch?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** What {@link generateImageFiles} did. */
export interface GeneratedFiles {
  readonly written: number;
  /** Seeds whose pictures were there. */
  readonly skipped: number;
}

/**
 * One PNG a seed in a folder. A file is there whole or not at all, and the same call again goes on where it was stopped.
 *
 * @throws what `generateImages` throws, and one line when a file cannot be written.
 * @example
 * ```ts
 * const net = new Precond({ imgResolution: 8, imgChannels: 3, labelDim: 0, modelChannels: 8, channelMult: [1], numBlocks: 1 });
 * const first = await generateImageFiles(net, [0, 1], { folder: 'out/pictures', steps: 2 });
 * const { written, skipped } = await generateImageFiles(net, [0, 1, 2], { folder: 'out/pictures', steps: 2 });
 * [written, skipped]; // [1, 2]
 * ```
 */
export async function generateImageFiles(
  net: Precond,
  seeds: readonly number[],
  options: GenerateFilesOptions,
): Promise<GeneratedFiles> {
  const { folder, overwrite = false, onBatch, subdirs = false, ...generating } = options;
  const pending = overwrite ? seeds : await missingSeeds(folder, seeds, { subdirs });
  const skipped = seeds.length - pending.length;
  if (pending.length === 0) return { written: 0, skipped };
  let written = 0;
  for await (const { seeds: made, images } of generateImages(net, pending, generating)) {
    for (const [i, seed] of made.entries()) {
      await writeFileAtomically(seedFile(folder, seed, { subdirs }), pngOf(images[i] as Uint8Array));
      written++;
    }
    onBatch?.({ done: written, total: pending.length });
  }
  return { written, skipped };
}

/** Those of `seeds` whose pictures are not in the folder. */
export async function missingSeeds(
  folder: string,
  seeds: readonly number[],
  options: SeedFileOptions = {},
): Promise<number[]> {
  const missing: number[] = [];
  for (const seed of seeds) {
    await access(seedFile(folder, seed, options)).catch(() => missing.push(seed));
  }
  return missing;
}

/** Pixels of a square picture, `[C, R, R]`, grey or RGB: those of a VAE are RGB. */
function pngOf(pixels: Uint8Array): Uint8Array {
  const channels = Number.isInteger(Math.sqrt(pixels.length)) ? 1 : 3;
  const plane = pixels.length / channels;
  const side = Math.sqrt(plane);
  const data = new Uint8Array(pixels.length);
  for (let i = 0; i < plane; i++) for (let c = 0; c < channels; c++) data[i * channels + c] = pixels[c * plane + i]!;
  return encodePng({ width: side, height: side, channels, data });
}
