import { decodePublishedSnapshot, decodeSnapshot, describedNetwork, type NetworkDescription } from '@evenkeel/edm2';
import { type HostArray, readSafetensors } from '@evenkeel/formats';
import type { WeightsSource } from '../protocol/sample.ts';

/** A file of weights that was read. */
export interface WeightsFile {
  readonly id: number;
  readonly file: string;
  readonly values: ReadonlyMap<string, HostArray>;
  readonly copied: readonly string[];
  readonly description: NetworkDescription;
  readonly images: number | undefined;
  readonly std: number | undefined;
  /** Equal for files of one run. */
  readonly run: string;
  /** The data set that it was trained on; undefined where the file does not say. */
  readonly dataset: string | undefined;
}

export function nameOf(source: WeightsSource): string {
  if ('file' in source) return source.file.name;
  const path = source.url.replace(/[?#].*$/, '');
  return decodeURIComponent(path.slice(path.lastIndexOf('/') + 1)) || source.url;
}

/** @throws one line that says what is wrong. */
export async function fetchWeights(source: WeightsSource): Promise<Uint8Array> {
  if ('file' in source) return new Uint8Array(await source.file.arrayBuffer());
  let response: Response;
  try {
    response = await fetch(source.url);
  } catch {
    throw new Error(
      `${source.url}: could not be fetched. Is the address right, and does its server allow other pages (CORS)?`,
    );
  }
  if (!response.ok)
    throw new Error(`${source.url}: the server says ${response.status} ${response.statusText}`.trimEnd());
  return new Uint8Array(await response.arrayBuffer());
}

/** @throws one line that says what is wrong with the file. */
export function readWeights(bytes: Uint8Array, file: string, id: number): WeightsFile {
  if (bytes.length === 0) throw new Error(`${file}: is empty`);
  const weights = isPickle(bytes, file) ? published(bytes, file) : stored(bytes, file);
  const { imgChannels } = weights.description.options;
  if (imgChannels !== 1 && imgChannels !== 3) {
    throw new Error(`${file}: makes latents of ${imgChannels} channels, which take a decoder. This page paints pixels`);
  }
  return { id, file, ...weights };
}

function published(bytes: Uint8Array, file: string): Omit<WeightsFile, 'id' | 'file'> {
  const { values, copied, description, images, std } = decodePublishedSnapshot(bytes, file);
  return { values, copied, description, images, std, run: JSON.stringify(description), dataset: undefined };
}

function stored(bytes: Uint8Array, file: string): Omit<WeightsFile, 'id' | 'file'> {
  const { tensors, metadata } = readSafetensors(bytes, { file });
  const description = describedNetwork(Object.fromEntries(metadata), file);
  const average = metadata.has('ema_std') ? decodeSnapshot(bytes, file) : undefined;
  const { copied = [], images, std } = average ?? {};
  const run = JSON.stringify([...metadata].filter(([key]) => key !== 'images' && key !== 'ema_std').sort());
  return { values: tensors, copied, description, images, std, run, dataset: metadata.get('dataset') };
}

/** Pickles start with the opcode of their protocol; a safetensors file of the same first byte has JSON from its ninth on. */
function isPickle(bytes: Uint8Array, file: string): boolean {
  return file.endsWith('.pkl') || (bytes[0] === 0x80 && bytes[8] !== '{'.charCodeAt(0));
}
