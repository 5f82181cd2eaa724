import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodePng, type RasterImage } from '@evenkeel/formats';
import { ZipWriter } from '@evenkeel/formats/node';

/** Files by name: bytes, or text. */
export type Files = Readonly<Record<string, Uint8Array | string>>;

/** A PNG of noise that `seed` fixes. */
export function pngOf(seed: number, width = 4, height = width, channels: RasterImage['channels'] = 3): Uint8Array {
  return encodePng({ width, height, channels, data: noise(seed, width * height * channels) });
}

/** Bytes that look random. */
export function noise(seed: number, length: number): Uint8Array {
  let state = seed + 1;
  return Uint8Array.from({ length }, () => {
    state = Math.imul(state, 1664525) + 1013904223;
    return state >>> 24;
  });
}

/** A `dataset.json`. */
export function labelFile(labels: Readonly<Record<string, unknown>> | null): string {
  return JSON.stringify({ labels: labels && Object.entries(labels) });
}

export function writeFolder(folder: string, files: Files): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

export async function writeZip(path: string, files: Files): Promise<string> {
  const writer = await ZipWriter.create(path);
  for (const [name, content] of Object.entries(files)) {
    await writer.add(name, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  }
  await writer.finish();
  return path;
}
