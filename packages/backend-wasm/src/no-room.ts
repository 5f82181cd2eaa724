import type { ScratchItem } from '@evenkeel/tensor/kernel';
import { showBytes } from '@evenkeel/tensor/kernel';
import type { WasmBuffer } from './buffer.ts';

/** What memory is wanted for, and what of it is in use. */
export interface Need {
  readonly limit: number;
  readonly buffers: Iterable<WasmBuffer>;
  /** What scratch memory takes now. */
  readonly scratchBytes: number;
  readonly wanted: readonly ScratchItem[];
}

/** The error of memory that does not suffice: what is wanted, and what there is, the largest first. */
export function noRoom({ limit, buffers, scratchBytes, wanted }: Need): Error {
  const live = [...buffers].sort((a, b) => b.bytes - a.bytes);
  const held = live.reduce((sum, { bytes }) => sum + bytes, 0);
  const largest = live.slice(0, 3).map(({ bytes, dtype }) => `${showBytes(bytes)} ${dtype}`);
  const list = [...wanted].sort((a, b) => b.bytes - a.bytes).map(({ what, bytes }) => `${what} ${showBytes(bytes)}`);
  const holders = largest.length > 0 ? ` (largest: ${largest.join(', ')})` : '';
  const total = held + scratchBytes + wanted.reduce((sum, { bytes }) => sum + bytes, 0);
  const why = total <= limit ? 'the machine has no more, or what is free lies in pieces; ' : '';
  return new Error(
    `wasm backend: no room for ${list.join(', ')}. The limit is ${showBytes(limit)}; ${why}${live.length} buffers hold ${showBytes(held)}${holders}, scratch ${showBytes(scratchBytes)}. Use smaller batches, dispose results, or raise memoryBytes (at most 4 GiB)`,
  );
}
