import { type HostArray, readPickle, torchConstructors } from '@evenkeel/formats';
import { type EncoderName, encoderFor, type NetworkDescription } from '../network/network-metadata.ts';
import { checkNetworkOptions } from '../network/network-options.ts';
import type { PrecondOptions } from '../network/precondition.ts';
import {
  dictOf,
  moduleDict,
  type PersistentObject,
  persistentClass,
  persistentObject,
  stateOfModule,
} from './module-tree.ts';
import { networkOptionNames } from './option-names.ts';
import { type SnapshotTime, snapshotTime } from './snapshot-time.ts';

/** What a network snapshot of published code holds. Time and length stand in its file's name alone. */
export interface PublishedSnapshot extends SnapshotTime {
  /** Parameters and buffers under their published names; published ones are float16. */
  readonly values: ReadonlyMap<string, HostArray>;
  /** Names of the buffers, which averages do not average. */
  readonly copied: readonly string[];
  readonly description: NetworkDescription;
  /** What the training data were opened with, such as `path` and `use_labels`. */
  readonly datasetOptions: Readonly<Record<string, unknown>>;
}

const encoders: ReadonlyMap<string, EncoderName> = new Map([
  ['StandardRGBEncoder', 'rgb'],
  ['StabilityVAEEncoder', 'stability-vae'],
]);

/** Says whether published code would compute in float16 on a GPU; the weights are the same. */
const withoutMeaning = new Set(['use_fp16']);

/**
 * Reads a network snapshot that the published training code wrote (`network-snapshot-*.pkl`, `edm2-*.pkl`), without
 * executing anything of it: see {@link readPickle}. The source text in it is not looked at.
 *
 * @param file names the file in errors; tells time and length as `edm2-img512-s-2147483-0.130.pkl` does
 * @throws Error, one line, when the file is damaged, cut off, names classes or functions that such snapshots do not have, or
 * holds another network than {@link Precond}.
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 *
 * async function published(file: string) {
 *   const { values, description } = decodePublishedSnapshot(await readFile(file), file);
 *   const net = new Precond(description.options);
 *   net.loadStateDict(stateDictOf(values));
 *   return net.eval();
 * }
 * ```
 */
export function decodePublishedSnapshot(bytes: Uint8Array, file = 'snapshot.pkl'): PublishedSnapshot {
  const root = readPickle(bytes, {
    file,
    construct: {
      ...torchConstructors(),
      'dnnlib.util.EasyDict': ([items]) => items ?? new Map(),
      [persistentClass]: 'object',
      [moduleDict]: 'object',
    },
  });
  try {
    if (!(root instanceof Map) || !root.has('ema')) throw new Error("is no network snapshot: it has no 'ema'");
    const ema = persistentObject(root.get('ema'), "'ema'");
    const options = optionsOf(ema, file);
    const { values, buffers } = stateOfModule(ema, bytes.length);
    return {
      ...snapshotTime(file),
      values,
      copied: buffers,
      description: { options, encoder: encoderOf(root.get('encoder') ?? null, options) },
      datasetOptions: textKeys(root.get('dataset_kwargs')),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(inOneLine(reason.startsWith(file) ? reason : `${file}: ${reason}`), { cause: error });
  }
}

function optionsOf({ className, state }: PersistentObject, file: string): PrecondOptions {
  if (className !== 'Precond') throw new Error(`'ema' is a ${className}, not the network Precond`);
  const args = state.get('_init_args');
  if (Array.isArray(args) && args.length > 0) throw new Error('its network was made with arguments that have no names');
  const options: Record<string, unknown> = {};
  const names: Readonly<Record<string, string>> = networkOptionNames;
  for (const [key, value] of Object.entries(textKeys(dictOf(state, '_init_kwargs', "'ema'")))) {
    if (withoutMeaning.has(key)) continue;
    const name = Object.hasOwn(names, key) ? names[key] : undefined;
    if (name === undefined) throw new Error(`its network has an option ${JSON.stringify(key)}, which is not known`);
    options[name] = value;
  }
  const published = new Map(Object.entries(names).map(([key, name]) => [name, key]));
  return checkNetworkOptions(options, file, (name) => published.get(name) ?? name);
}

function encoderOf(value: unknown, options: PrecondOptions): EncoderName {
  if (value === null) return encoderFor(options);
  const { className } = persistentObject(value, "'encoder'");
  const encoder = encoders.get(className);
  if (encoder === undefined) {
    throw new Error(`encoder ${className} is not one of ${[...encoders.keys()].join(', ')}`);
  }
  return encoder;
}

function textKeys(dict: unknown): Record<string, unknown> {
  return dict instanceof Map ? Object.fromEntries([...dict].filter(([key]) => typeof key === 'string')) : {};
}

/** Names come from the file, whatever they are made of. */
function inOneLine(message: string): string {
  const line = message.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
  return line.length > 400 ? `${line.slice(0, 400)}...` : line;
}
