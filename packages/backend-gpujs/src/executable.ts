import { describeKernel, type Executable, type Plan } from '@evenkeel/tensor/kernel';
import type { Device } from './device.ts';
import type { Launch } from './source/launch.ts';
import { floatsPerElement } from './stored-values.ts';

/** A launch with the name of its compiled kernel. */
export interface KeyedLaunch {
  readonly key: string;
  readonly launch: Launch;
}

/** A plan as gpu.js kernels. */
export class GpujsExecutable implements Executable {
  readonly plan: Plan;
  /** By step; none for host steps. */
  readonly launches: readonly (readonly KeyedLaunch[])[];
  /** By step: temporaries that nothing needs after it. */
  readonly lastUsed: readonly (readonly number[])[];
  readonly scratchBytes: number;
  isDisposed = false;
  readonly #release: (executable: GpujsExecutable) => void;

  constructor(plan: Plan, printed: readonly (readonly Launch[])[], release: (executable: GpujsExecutable) => void) {
    this.plan = plan;
    this.#release = release;
    this.scratchBytes = plan.slots.reduce((sum, bytes) => sum + bytes, 0);
    const lastUsed = plan.steps.map((): number[] => []);
    plan.values.forEach(({ role, last }, value) => {
      if (role === 'temporary') lastUsed[last]?.push(value);
    });
    this.lastUsed = lastUsed;
    this.launches = printed.map((launches, step) => {
      return launches.map((launch) => ({ launch, key: keyOf(launch, launches, plan, step) }));
    });
  }

  retain(device: Device): void {
    for (const { key } of this.launches.flat()) device.retain(key);
  }

  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    this.#release(this);
  }
}

/** gpu.js compiles sizes into kernels: equal text with arrays of equal sizes is one kernel. */
function keyOf(launch: Launch, launches: readonly Launch[], plan: Plan, step: number): string {
  const { operands } = plan.steps[step] as Plan['steps'][number];
  const lengths = launch.arrays.map(({ kind, number }) => {
    if (kind === 'temporary') {
      return launches.find(({ result }) => result.kind === kind && result.number === number)?.length;
    }
    const value = plan.values[operands[number] as number];
    return value && value.length * floatsPerElement(value.dtype);
  });
  return `${launch.length} ${lengths} ${launch.functions.map(({ name }) => name)} ${launch.source}`;
}

/** `step 3 of 10 (row [8]: add)` */
export function stepName({ steps }: Plan, step: number): string {
  const kernel = steps[step]?.kernel;
  return `step ${step} of ${steps.length} (${kernel === undefined ? 'unknown' : describeKernel(kernel)})`;
}
