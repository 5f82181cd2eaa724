import { createHash } from 'node:crypto';
import { readSafetensors, writeSafetensors } from '@evenkeel/formats';
import type { TrainerState } from '../../train/trainer-state.ts';

/** What a checkpoint says beside the state of the trainer. */
export interface CheckpointNotes {
  /** Seconds that training took, all its parts together. */
  readonly elapsedSeconds: number;
  /** What bits depend on: where it goes on, another backend or other instructions give other bits. */
  readonly numerics: string;
}

/** A whole checkpoint. */
export interface Checkpoint extends CheckpointNotes {
  readonly state: TrainerState;
}

const format = 'evenkeel training state 1';

/** Stands in the place of the checksum while it is computed, so that it covers every other byte of the file. */
const blank = '0'.repeat(64);
const marker = '"sha256":"';

/**
 * A checkpoint as one safetensors file, with a checksum of all of it.
 *
 * @example
 * ```ts
 * const weight = { dtype: 'float32', shape: [2], data: new Float32Array([1, 2]) } as const;
 * const state = { images: 1024, seed: 0, tensors: new Map([['net.weight', weight]]) }; // or what trainer.state() gave
 * const bytes = encodeCheckpoint({ state, elapsedSeconds: 60, numerics: 'js' });
 * ```
 */
export function encodeCheckpoint({ state, elapsedSeconds, numerics }: Checkpoint): Uint8Array {
  const { images, seed, tensors } = state;
  const notes = { format, images, seed, elapsedSeconds, numerics };
  const bytes = writeSafetensors(tensors, { sha256: blank, training_state: JSON.stringify(notes) });
  const place = placeOfChecksum(bytes) as number;
  bytes.set(new TextEncoder().encode(checksumOf(bytes, place)), place);
  return bytes;
}

/**
 * Reads what {@link encodeCheckpoint} wrote.
 *
 * @throws one line, where the file is cut off, damaged anywhere, or no checkpoint.
 * @example
 * ```ts
 * const state = { images: 1024, seed: 0, tensors: new Map() };
 * const bytes = encodeCheckpoint({ state, elapsedSeconds: 60, numerics: 'js' }); // or a file's
 * decodeCheckpoint(bytes, 'training-state-0000001.safetensors').state.images; // 1024
 * ```
 */
export function decodeCheckpoint(bytes: Uint8Array, file = 'checkpoint'): Checkpoint {
  const place = placeOfChecksum(bytes);
  if (place === undefined) throw new Error(`${file}: is no checkpoint, or is cut off`);
  const said = new TextDecoder().decode(bytes.subarray(place, place + blank.length));
  if (checksumOf(bytes, place) !== said) throw new Error(`${file}: is damaged or cut off, its checksum does not fit`);
  const { tensors, metadata } = readSafetensors(bytes, { file });
  const notes = JSON.parse(metadata.get('training_state') ?? '{}') as Partial<CheckpointNotes & TrainerState> & {
    readonly format?: string;
  };
  if (notes.format !== format) throw new Error(`${file}: is of another kind than '${format}'`);
  const { images, seed, elapsedSeconds, numerics } = notes as CheckpointNotes & TrainerState;
  return { state: { images, seed, tensors }, elapsedSeconds, numerics };
}

/** Where the checksum's digits begin; undefined where none is. */
function placeOfChecksum(bytes: Uint8Array): number | undefined {
  // Metadata come first in the header, and the checksum first of them.
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 512));
  const at = start.indexOf(marker);
  const place = at + marker.length;
  return at === -1 || place + blank.length > start.length ? undefined : place;
}

/** Of all bytes, with the checksum itself blank. */
function checksumOf(bytes: Uint8Array, place: number): string {
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place + blank.length)];
  return createHash('sha256').update(before).update(blank).update(after).digest('hex');
}
