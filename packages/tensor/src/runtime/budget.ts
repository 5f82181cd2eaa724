import type { Backend, Capabilities } from '../kernel/backend.ts';
import { elementBytes } from '../kernel/element-bytes.ts';
import type { Plan } from '../kernel/plan.ts';
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

/** Bytes that a plan needs beside what its inputs already hold. */
export function planNeeds(plan: Plan, capabilities: Capabilities): { outputs: number; scratch: number } {
  let outputs = 0;
  for (const number of plan.outputs) {
    const value = plan.values[number];
    if (value !== undefined && value.replaces === undefined)
      outputs += value.length * elementBytes(capabilities, value.dtype);
  }
  return { outputs, scratch: plan.slots.reduce((sum, bytes) => sum + bytes, 0) };
}

/**
 * Checks, before anything is allocated, that a run fits.
 *
 * @param uploads bytes of inputs that must be copied to the backend first.
 * @throws with every item when it does not.
 */
export function checkBudget(backend: Backend, plan: Plan, uploads: number): void {
  const { memoryBytes, maxBufferBytes } = backend.capabilities;
  for (const value of plan.values) {
    const bytes = value.length * elementBytes(backend.capabilities, value.dtype);
    if (bytes > maxBufferBytes) {
      throw new Error(
        `memory: one value of this run takes ${showBytes(bytes)}, backend '${backend.name}' allows ${showBytes(maxBufferBytes)} a buffer. Use smaller batches`,
      );
    }
  }
  const held = heldOn(backend);
  const { outputs, scratch } = planNeeds(plan, backend.capabilities);
  const items: [string, number][] = [
    ['cells', held.cells],
    ['pinned results', held.pinned],
    ['preludes', held.preludes],
    ['runs under way', transientBytes(backend)],
    ['inputs to upload', uploads],
    ['outputs', outputs],
    ['temporaries', scratch],
  ];
  const total = items.reduce((sum, [, bytes]) => sum + bytes, 0);
  if (total <= memoryBytes) return;
  const list = items
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => `${name} ${showBytes(bytes)}`)
    .join(', ');
  const largest = [...owners]
    .filter((owner) => owner.backend === backend)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 3)
    .map((owner) => `${owner.path} ${showBytes(owner.bytes)}`);
  throw new Error(
    `memory: this run needs ${showBytes(total)}, backend '${backend.name}' has ${showBytes(memoryBytes)}: ${list}${largest.length > 0 ? ` (largest owners: ${largest.join(', ')})` : ''}. Use smaller batches, checkpoint(), or dispose pinned results`,
  );
}
