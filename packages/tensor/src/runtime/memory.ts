import { currentBackend } from './backend.ts';
import { transientBytes } from './budget.ts';
import { heldOn, owners } from './device-values.ts';
import { scratchBytes } from './plan-cache.ts';

/** What `memory()` reports, in bytes of the current backend unless said otherwise. */
export interface MemoryReport {
  /** Cells, pinned results, preludes and scratch: what stays from run to run. */
  readonly total: number;
  /** Parameters, optimizer states, averages. */
  readonly cells: number;
  /** Results pinned by `realize()` and not disposed. */
  readonly pinned: number;
  /** Results that depend on cells alone, kept until a cell changes. */
  readonly preludes: number;
  /** Of the plan that needs most: temporaries, and what its kernels work in. */
  readonly scratch: number;
  /** Inputs and outputs of runs that are not done. */
  readonly running: number;
  /** Cells whose values wait on the host until they are first used. */
  readonly host: number;
  /** Every owner, largest first. */
  readonly byOwner: readonly { readonly path: string; readonly bytes: number }[];
}

/**
 * Bytes by owner. A training loop's figure is constant from its second step.
 *
 * @example
 * const before = memory().pinned;
 * using noise = await new Generator(1).normal([256, 256]).realize();
 * memory().pinned - before; // 262144, 4 bytes an element
 */
export function memory(): MemoryReport {
  const backend = currentBackend();
  const held = heldOn(backend);
  const scratch = scratchBytes(backend);
  const running = transientBytes(backend);
  let host = 0;
  for (const owner of owners) if (owner.isHost) host += owner.bytes;
  const byOwner = [...owners]
    .filter((owner) => owner.backend === backend)
    .map(({ path, bytes }) => ({ path, bytes }))
    .sort((a, b) => b.bytes - a.bytes);
  return { total: held.cells + held.pinned + held.preludes + scratch, ...held, scratch, running, host, byOwner };
}
