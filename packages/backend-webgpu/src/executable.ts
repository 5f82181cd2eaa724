import { describeKernel, type Executable, type Plan } from '@evenkeel/tensor/kernel';
import { LaunchArguments } from './launch-arguments.ts';
import type { Pipeline, Pipelines } from './pipelines.ts';
import { layOut, type ScratchLayout } from './scratch.ts';
import type { Launch, PrintedKernel } from './wgsl/printed-kernel.ts';

const MOST_BIND_GROUPS = 8;

/** A launch with its pipeline, and the bind groups that it was used with lately. */
interface ReadyLaunch extends Pipeline {
  readonly launch: Launch;
  readonly bindGroups: Map<string, GPUBindGroup>;
}

/** A plan as pipelines. */
export class WebgpuExecutable implements Executable {
  readonly plan: Plan;
  readonly layout: ScratchLayout;
  readonly arguments: LaunchArguments;
  /** By step; none for host steps. */
  readonly launches: readonly (readonly ReadyLaunch[])[];
  isDisposed = false;
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
    this.launches = parts.launches;
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

  /** Records a step. `memories` has the memory of each value, then of each scratch place. */
  encode(pass: GPUComputePassEncoder, step: number, memories: StepMemories): void {
    for (const ready of this.launches[step] as readonly ReadyLaunch[]) {
      pass.setPipeline(ready.pipeline);
      pass.setBindGroup(0, this.#bindGroup(ready, step, memories));
      pass.dispatchWorkgroups(ready.launch.workgroups[0], ready.launch.workgroups[1]);
    }
  }

  #bindGroup({ launch, layout, bindGroups }: ReadyLaunch, step: number, memories: StepMemories): GPUBindGroup {
    const { operands } = this.plan.steps[step] as Plan['steps'][number];
    const buffers = launch.bindings.map(({ kind, number }) =>
      kind === 'operand' ? memories.ofValue(operands[number] as number) : memories.ofScratch(number),
    );
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

/** The memories of one run. */
export interface StepMemories {
  ofValue(value: number): GPUBuffer;
  ofScratch(number: number): GPUBuffer;
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
