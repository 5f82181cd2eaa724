import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { checkedIndex, type ImageDataset } from '../../data/dataset.ts';

const unzip = promisify(gunzip);
/** Of a file when it is unpacked. */
const mostBytes = 2 ** 31 - 1;

/** Which of the two parts of such a data set. */
export type IdxSplit = 'train' | 'test';

/** Names of the files of one part, where a folder holds them. */
export interface IdxFiles {
  readonly images: string;
  readonly labels: string | undefined;
}

/**
 * Finds the files of MNIST and its relatives (`train-images-idx3-ubyte.gz`) in a folder; undefined where there are none, or
 * no folder.
 */
export async function findIdxFiles(folder: string, split: IdxSplit): Promise<IdxFiles | undefined> {
  const names = await readdir(folder).catch(() => []);
  const prefix = split === 'train' ? 'train' : '(t10k|test)';
  const named = (kind: string) => names.find((name) => new RegExp(`^${prefix}-${kind}-ubyte(\\.gz)?$`).test(name));
  const images = named('images[-.]idx3');
  return images === undefined ? undefined : { images, labels: named('labels[-.]idx1') };
}

/** The pictures of idx files, with their classes where there are labels. */
export async function openIdx(folder: string, files: IdxFiles, useLabels: boolean): Promise<ImageDataset> {
  const images = await readIdx(join(folder, files.images), 3);
  const [length, height, width] = images.shape as [number, number, number];
  if (height !== width) throw new Error(`${folder}: ${files.images} holds ${width} x ${height} pixels, not square`);
  const size = height * width;
  const name = folder.split(/[\\/]/).findLast((part) => part !== '') ?? folder;
  const at = (index: number) => checkedIndex({ name, length }, index);
  const dataset: ImageDataset = {
    name,
    length,
    channels: 1,
    resolution: height,
    labelDim: 0,
    image: (index) => images.data.subarray(at(index) * size, (index + 1) * size),
  };
  if (files.labels === undefined || !useLabels) return dataset;
  const labels = await readIdx(join(folder, files.labels), 1);
  if (labels.shape[0] !== length) {
    throw new Error(`${folder}: ${files.labels} has ${labels.shape[0]} labels, ${files.images} ${length} images`);
  }
  const labelDim = labels.data.reduce((largest, label) => Math.max(largest, label), 0) + 1;
  return { ...dataset, labelDim, label: (index) => labels.data[at(index)]! };
}

async function readIdx(path: string, rank: number): Promise<{ shape: number[]; data: Uint8Array }> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
    if (path.endsWith('.gz')) bytes = await unzip(bytes, { maxOutputLength: mostBytes });
  } catch (error) {
    throw new Error(`${path}: cannot be read (${(error as Error).message.split('\n')[0]})`, { cause: error });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = 4 + 4 * rank;
  // Two zeros, 8 for bytes, the number of axes.
  if (bytes.length < headerBytes || view.getUint32(0) !== 0x0800 + rank) {
    throw new Error(`${path}: is not an idx file of bytes with ${rank} ${rank === 1 ? 'axis' : 'axes'}`);
  }
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, size) => product * size, 1);
  if (count === 0 || count !== bytes.length - headerBytes) {
    throw new Error(
      `${path}: shape [${shape.join(', ')}] takes ${count} bytes, the file has ${bytes.length - headerBytes}`,
    );
  }
  return { shape, data: bytes.subarray(headerBytes) };
}
