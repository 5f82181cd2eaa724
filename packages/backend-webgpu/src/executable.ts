import { describeKernel, type Executable, type Plan } from '@evenkeel/tensor/kernel';
import { LaunchArguments } from './launch-arguments.ts';
import type { Pipeline, Pipelines } from './pipelines.ts';
import { layOut, type ScratchLayout } from './scratch.ts';
import type { Launch, PrintedKernel } from './wgsl/printed-kernel.ts';

/** Of a launch that are kept, and of a plan as a whole. */
const MOST_BIND_GROUPS = 8;
const MOST_BOUND = 4;

/** A launch with its pipeline, and the bind groups that it was used with lately. */
interface ReadyLaunch extends Pipeline {
  readonly launch: Launch;
  readonly bindGroups: Map<string, GPUBindGroup>;
}

/** What is recorded of a launch. */
export interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly x: number;
  readonly y: number;
}

/** The memories of one run: of each value, then each memory that kernels work in. */
export type Memories = readonly GPUBuffer[];

/** By step; none for host steps. */
export type Dispatches = readonly (readonly Dispatch[])[];

/** A plan as pipelines. */
export class WebgpuExecutable implements Executable {
  readonly plan: Plan;
  readonly layout: ScratchLayout;
  readonly arguments: LaunchArguments;
  isDisposed = false;
  readonly #launches: readonly (readonly ReadyLaunch[])[];
  /** The one used last comes first. */
  readonly #bound: { readonly memories: Memories; readonly dispatches: Dispatches }[] = [];
  readonly #device: GPUDevice;
  readonly #uniforms: GPUBuffer | undefined;
  readonly #release: (executable: WebgpuExecutable) => void;

  constructor(
    plan: Plan,
    parts: {
      readonly device: GPUDevice;
      readonly layout: ScratchLayout;
      readonly launches: readonly (readonly ReadyLaunch[])[];
      readonly release: (executable: WebgpuExecutable) => void;
    },
  ) {
    this.plan = plan;
    this.layout = parts.layout;
    this.#launches = parts.launches;
    this.#device = parts.device;
    this.#release = parts.release;
    this.arguments = new LaunchArguments(plan);
    const { bytes } = this.arguments;
    if (bytes > 0) {
      this.#uniforms = parts.device.createBuffer({ size: bytes, usage: 0x40 | 0x08 }); // UNIFORM, COPY_DST
    }
  }

  get scratchBytes(): number {
    return this.layout.bytes;
  }

  /** Puts the launch arguments of a run where its kernels read them; in the order of submissions. */
  writeArguments(given: Float64Array): void {
    if (this.#uniforms) this.#device.queue.writeBuffer(this.#uniforms, 0, this.arguments.write(given));
  }

  /** The plan's dispatches. A step that is run again and again finds its memories where they were. */
  bind(memories: Memories): Dispatches {
    const at = this.#bound.findIndex((known) => isSame(known.memories, memories));
    const found = this.#bound[at];
    if (found && at === 0) return found.dispatches;
    if (found) this.#bound.splice(at, 1);
    const bound = found ?? { memories, dispatches: this.#launches.map((_, step) => this.#bindStep(step, memories)) };
    this.#bound.unshift(bound);
    if (this.#bound.length > MOST_BOUND) this.#bound.pop();
    return bound.dispatches;
  }

  #bindStep(step: number, memories: Memories): Dispatch[] {
    return (this.#launches[step] as readonly ReadyLaunch[]).map((ready) => {
      const [x, y] = ready.launch.workgroups;
      return { pipeline: ready.pipeline, group: this.#bindGroup(ready, step, memories), x, y };
    });
  }

  #bindGroup({ launch, layout, bindGroups }: ReadyLaunch, step: number, memories: Memories): GPUBindGroup {
    const { operands } = this.plan.steps[step] as Plan['steps'][number];
    const buffers = launch.bindings.map(({ kind, number }) => {
      const place = kind === 'operand' ? (operands[number] as number) : this.plan.values.length + number;
      return memories[place] as GPUBuffer;
    });
    const key = buffers.map(identify).join();
    const known = bindGroups.get(key);
    if (known) return known;
    const entries: GPUBindGroupEntry[] = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    if (launch.hasArguments) {
      const { offset, size } = this.arguments.windows[step] as { offset: number; size: number };
      entries.push({ binding: entries.length, resource: { buffer: this.#uniforms as GPUBuffer, offset, size } });
    }
    const group = this.#device.createBindGroup({ label: stepName(this.plan, step), layout, entries });
    if (bindGroups.size >= MOST_BIND_GROUPS) bindGroups.clear();
    bindGroups.set(key, group);
    return group;
  }

  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    this.#release(this);
  }

  /** After all runs. */
  destroy(): void {
    this.#uniforms?.destroy();
  }
}

/** Makes a printed plan ready. */
export async function makeExecutable(
  plan: Plan,
  kernels: readonly (PrintedKernel | undefined)[],
  parts: {
    readonly device: GPUDevice;
    readonly pipelines: Pipelines;
    readonly release: (executable: WebgpuExecutable) => void;
  },
): Promise<WebgpuExecutable> {
  const launches = await Promise.all(
    kernels.map((kernel, step) =>
      Promise.all(
        (kernel?.launches ?? []).map(async (launch): Promise<ReadyLaunch> => {
          try {
            const label = describeKernel((plan.steps[step] as Plan['steps'][number]).kernel);
            return { ...(await parts.pipelines.get(launch, label)), launch, bindGroups: new Map() };
          } catch (error) {
            throw new Error(`webgpu backend: ${stepName(plan, step)} does not compile: ${messageOf(error)}`, {
              cause: error,
            });
          }
        }),
      ),
    ),
  );
  return new WebgpuExecutable(plan, { ...parts, layout: layOut(plan, kernels), launches });
}

/** `step 3 of 10 (row [8]: add)` */
export function stepName({ steps }: Plan, step: number): string {
  const kernel = steps[step]?.kernel;
  return `step ${step} of ${steps.length} (${kernel === undefined ? 'unknown' : describeKernel(kernel)})`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error
    ? error.message
    : String((error as { message?: unknown } | undefined)?.message ?? error);
}

function isSame(a: Memories, b: Memories): boolean {
  // They are of one plan, so as many.
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const identities = new WeakMap<GPUBuffer, number>();
let identityCount = 0;

function identify(buffer: GPUBuffer): number {
  let identity = identities.get(buffer);
  if (identity === undefined) {
    identity = identityCount++;
    identities.set(buffer, identity);
  }
  return identity;
}
