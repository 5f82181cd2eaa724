import { type HostArray, readSafetensors, writeSafetensors } from '@evenkeel/formats';
import { kimgName } from './kimg.ts';
import type { EmaProfile } from './profile.ts';

/** A stored average with all that belongs to it. */
export interface EmaSnapshot extends EmaProfile {
  readonly values: ReadonlyMap<string, HostArray>;
  /** Names that are kept but not averaged. */
  readonly copied?: readonly string[];
  /** Whatever else should travel with the values, such as the network's options. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Options of {@link encodeSnapshot}. */
export interface EncodeSnapshotOptions {
  /** What real numbers are stored in; published snapshots are float16. @defaultValue 'float32' */
  readonly dtype?: 'float16' | 'float32';
}

/**
 * The file name of a snapshot: `network-snapshot-0008388-0.050.safetensors` for 8,388,608 images and std 0.05.
 *
 * @example
 * ```ts
 * snapshotName({ images: 8_388_608, std: 0.05 }); // 'network-snapshot-0008388-0.050.safetensors'
 * ```
 */
export function snapshotName({ images, std }: EmaProfile, prefix = 'network-snapshot'): string {
  return `${prefix}-${kimgName(images)}-${std.toFixed(3)}.safetensors`;
}

/**
 * A snapshot as one safetensors file; time and length stand exactly in its metadata.
 *
 * @example
 * ```ts
 * const ema = new PowerFunctionEma(new Linear(2, 1));
 * ema.update(32);
 * const snapshot = { images: ema.images, std: 0.05, values: await ema.snapshot(0.05) };
 * await writeFileAtomically(`out/${snapshotName(snapshot)}`, encodeSnapshot(snapshot));
 * ```
 */
export function encodeSnapshot(snapshot: EmaSnapshot, options: EncodeSnapshotOptions = {}): Uint8Array {
  const { images, std, values, copied = [], metadata = {} } = snapshot;
  const stored = [...values].map(([name, array]): [string, HostArray] => [
    name,
    options.dtype === 'float16' && array.dtype === 'float32' ? { ...array, dtype: 'float16' } : array,
  ]);
  const own = { images: String(images), ema_std: String(std), copied: JSON.stringify(copied) };
  return writeSafetensors(stored, { ...metadata, ...own });
}

/**
 * Reads what {@link encodeSnapshot} wrote.
 *
 * @throws when the file is damaged or is no snapshot.
 * @example
 * ```ts
 * const model = new Linear(2, 1);
 * const bytes = encodeSnapshot({ images: 32, std: 0.05, values: await readStateDict(model.stateDict()) }); // or a file's
 * const { images, values } = decodeSnapshot(bytes);
 * model.loadStateDict(stateDictOf(values));
 * images; // 32
 * ```
 */
export function decodeSnapshot(bytes: Uint8Array, file = 'snapshot'): EmaSnapshot {
  const { tensors, metadata } = readSafetensors(bytes, { file });
  return { ...describedSnapshot(metadata, `decodeSnapshot ${file}`), values: tensors };
}

/** What a snapshot's file says beside its tensors. `where` starts error messages. */
export function describedSnapshot(
  metadata: ReadonlyMap<string, string>,
  where: string,
): Required<Omit<EmaSnapshot, 'values'>> {
  const [images, std] = [Number(metadata.get('images')), Number(metadata.get('ema_std'))];
  if (!(images >= 0 && std > 0)) {
    throw new Error(`${where}: its metadata lacks images and ema_std. Is it a snapshot of an average?`);
  }
  const copied = namesOf(metadata.get('copied') ?? '[]');
  if (copied === undefined) throw new Error(`${where}: metadata 'copied' is no list of names`);
  const rest = [...metadata].filter(([key]) => !['images', 'ema_std', 'copied'].includes(key));
  return { images, std, copied, metadata: Object.fromEntries(rest) };
}

function namesOf(json: string): string[] | undefined {
  try {
    const names: unknown = JSON.parse(json);
    return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined;
  } catch {
    return undefined;
  }
}
