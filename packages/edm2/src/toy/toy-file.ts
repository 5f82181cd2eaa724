import type { HostArray } from '@evenkeel/formats';
import { decodeSnapshot, encodeSnapshot } from '../ema/snapshot.ts';
import { stateDictOf } from '../ema/tracker.ts';
import { type ToyClass, toyClasses } from './fractal-tree.ts';
import { ToyModel } from './toy-model.ts';
import type { ToyTrainer } from './toy-trainer.ts';

/** A trained network of the toy, and what it was trained on. */
export interface StoredToy {
  readonly net: ToyModel;
  readonly classes: ToyClass;
  /** Points seen in training. */
  readonly images: number;
}

/**
 * The average of a toy's training as a safetensors file: a snapshot like those of images' networks, so that other lengths
 * can be made of several.
 *
 * @example
 * ```ts
 * using trainer = new ToyTrainer({ layers: 2, dim: 16, batchSize: 64 });
 * await trainer.step();
 * using net = decodeToy(await encodeToy(trainer)).net;
 * net.options.dim; // 16
 * ```
 */
export async function encodeToy(trainer: ToyTrainer): Promise<Uint8Array> {
  const { ema, net, classes } = trainer;
  const std = ema.stds[0] as number;
  const metadata = { toy: JSON.stringify({ classes, ...net.options }) };
  return encodeSnapshot({ images: ema.images, std, values: await ema.snapshot(std), metadata });
}

/**
 * Reads what {@link encodeToy} wrote.
 *
 * @throws when the file is damaged or is no network of the toy.
 * @example
 * ```ts
 * using trainer = new ToyTrainer({ classes: 'AB', layers: 2, dim: 16, batchSize: 64 });
 * await trainer.step();
 * const { net, classes } = decodeToy(await encodeToy(trainer));
 * classes; // 'AB'
 * ```
 */
export function decodeToy(bytes: Uint8Array, file = 'toy network'): StoredToy {
  const { images, values, metadata } = decodeSnapshot(bytes, file);
  const { classes, ...options } = described(metadata?.toy ?? '', file);
  const net = new ToyModel(options);
  try {
    net.loadStateDict(stateDictOf(values as ReadonlyMap<string, HostArray>));
  } catch (error) {
    net.dispose();
    throw new Error(`decodeToy ${file}: ${(error as Error).message}`, { cause: error });
  }
  return { net, classes, images };
}

function described(json: string, file: string): { classes: ToyClass; layers: number; dim: number; sigmaData: number } {
  const { classes, layers, dim, sigmaData } = parsed(json);
  const isClass = toyClasses.some((one) => one === classes);
  const isSize = (value: unknown) => typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 4096;
  if (!isClass || !isSize(layers) || !isSize(dim) || !(typeof sigmaData === 'number' && sigmaData > 0)) {
    throw new Error(`decodeToy ${file}: does not describe a network of the toy. Was it written by 'edm2 toy train'?`);
  }
  return { classes: classes as ToyClass, layers: layers as number, dim: dim as number, sigmaData };
}

function parsed(json: string): Record<string, unknown> {
  try {
    return (JSON.parse(json) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
