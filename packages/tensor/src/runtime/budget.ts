import type { Backend, Executable, ScratchItem } from '../kernel/backend.ts';
import { elementBytes } from '../kernel/element-bytes.ts';
import type { Plan, PlanValue } from '../kernel/plan.ts';
import { showBytes } from '../kernel/show-bytes.ts';
import { heldOn, owners } from './device-values.ts';

const transient = new WeakMap<Backend, number>();

/** Bytes of inputs and outputs of runs under way on `backend`. */
export function transientBytes(backend: Backend): number {
  return transient.get(backend) ?? 0;
}

/** Adds to (or, negative, takes from) the bytes that runs under way hold. */
export function addTransient(backend: Backend, bytes: number): void {
  transient.set(backend, transientBytes(backend) + bytes);
}

/** What a plan needs beside what its inputs already hold, in bytes. */
export interface PlanNeeds {
  readonly outputs: number;
  /** Temporaries, and what kernels work in. */
  readonly scratch: readonly ScratchItem[];
  readonly scratchBytes: number;
  /** Its largest value. */
  readonly largest: number;
}

/** @param executable the compiled plan: where the backend tells nothing before, it does. */
export function planNeeds(plan: Plan, backend: Backend, executable?: Executable): PlanNeeds {
  const bytesOf = ({ dtype, length }: PlanValue): number => length * elementBytes(backend.capabilities, dtype);
  let outputs = 0;
  for (const number of plan.outputs) {
    const value = plan.values[number];
    if (value !== undefined && value.replaces === undefined) outputs += bytesOf(value);
  }
  const scratch = backend.scratchOf?.(plan) ?? scratchByTotal(plan, executable);
  return {
    outputs,
    scratch,
    scratchBytes: scratch.reduce((sum, { bytes }) => sum + bytes, 0),
    largest: plan.values.reduce((most, value) => Math.max(most, bytesOf(value)), 0),
  };
}

function scratchByTotal({ slots }: Plan, executable: Executable | undefined): ScratchItem[] {
  const temporaries = slots.reduce((sum, bytes) => sum + bytes, 0);
  const items = [
    { what: 'temporaries', bytes: temporaries },
    { what: 'what kernels work in', bytes: (executable?.scratchBytes ?? 0) - temporaries },
  ];
  return items.filter(({ bytes }) => bytes > 0);
}

/**
 * Checks, before anything is allocated, that a run fits.
 *
 * @param uploads bytes of inputs that must be copied to the backend first.
 * @throws with every item when it does not.
 */
export function checkBudget(backend: Backend, { outputs, scratch, largest }: PlanNeeds, uploads: number): void {
  const { memoryBytes, maxBufferBytes } = backend.capabilities;
  if (largest > maxBufferBytes) {
    throw new Error(
      `memory: one value of this run takes ${showBytes(largest)}, backend '${backend.name}' allows ${showBytes(maxBufferBytes)} a buffer. Use smaller batches`,
    );
  }
  const held = heldOn(backend);
  const items: [string, number][] = [
    ['cells', held.cells],
    ['pinned results', held.pinned],
    ['preludes', held.preludes],
    ['runs under way', transientBytes(backend)],
    ['inputs to upload', uploads],
    ['outputs', outputs],
    ...scratch.map(({ what, bytes }): [string, number] => [what, bytes]),
  ];
  const total = items.reduce((sum, [, bytes]) => sum + bytes, 0);
  if (total <= memoryBytes) return;
  const list = items
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => `${name} ${showBytes(bytes)}`)
    .join(', ');
  const largestOwners = [...owners]
    .filter((owner) => owner.backend === backend)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 3)
    .map((owner) => `${owner.path} ${showBytes(owner.bytes)}`);
  throw new Error(
    `memory: this run needs ${showBytes(total)}, backend '${backend.name}' has ${showBytes(memoryBytes)}: ${list}${largestOwners.length > 0 ? ` (largest owners: ${largestOwners.join(', ')})` : ''}. Use smaller batches, checkpoint(), or dispose pinned results`,
  );
}
