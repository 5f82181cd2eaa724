import type { Call, Executable } from '../kernel/backend.ts';
import type { Plan } from '../kernel/plan.ts';
import type { HostArray } from '../types/dtype.ts';
import { type Arena, type Layout, layOut, viewOf } from './arena.ts';
import { BLOCK_MEMORY_BYTES } from './block-memory.ts';
import type { CompiledKernel, KernelCompiler } from './compile-kernel.ts';
import type { Pacer } from './pacer.ts';
import { bytesOf, type Workspace } from './workspace.ts';

/** What runs of a backend share. */
export interface Surroundings {
  readonly arena: Arena;
  readonly workspace: Workspace;
  readonly pacer: Pacer;
  readonly poison: boolean;
  kernelDone(): void;
}

/** A plan as functions over typed arrays. */
export class JsExecutable implements Executable {
  readonly plan: Plan;
  readonly layout: Layout;
  readonly scratchBytes: number;
  /** Lengths of the scratch arrays that its kernels share. */
  readonly scratchLengths: readonly number[];
  disposed = false;
  readonly #kernels: readonly CompiledKernel[];
  readonly #given: readonly Float64Array[];
  readonly #release: (executable: JsExecutable) => void;
  /** The arena's memory that the views are on; it moves when the arena grows. */
  #memory: ArrayBuffer | undefined;
  #views: readonly (HostArray | undefined)[] = [];

  constructor(plan: Plan, compiler: KernelCompiler, release: (executable: JsExecutable) => void) {
    this.plan = plan;
    this.layout = layOut(plan);
    this.#kernels = plan.steps.map(({ kernel }, step) => {
      try {
        return compiler.compile(kernel);
      } catch (error) {
        throw stepError(plan, step, error);
      }
    });
    this.#given = plan.steps.map((step) => new Float64Array(step.arguments.length));
    const lengths: number[] = [];
    for (const { scratchLengths } of this.#kernels) {
      scratchLengths.forEach((length, i) => {
        lengths[i] = Math.max(lengths[i] ?? 0, length);
      });
    }
    this.scratchLengths = lengths;
    const shared = plan.steps.some(({ kernel }) => kernel.kind === 'contraction') ? BLOCK_MEMORY_BYTES : 0;
    this.scratchBytes = this.layout.bytes + bytesOf(lengths) + shared;
    this.#release = release;
  }

  /** Runs all steps and gives their milliseconds; `values` has the arrays of inputs and outputs by value number. */
  async execute(
    call: Call,
    values: readonly (HostArray | undefined)[],
    around: Surroundings,
  ): Promise<readonly number[]> {
    const { arena, workspace, pacer, poison } = around;
    const views = this.#viewsOn(arena.reserve(this.layout));
    const arrayOf = (value: number): HostArray => (values[value] ?? views[value]) as HostArray;
    const times: number[] = [];
    if (poison) arena.poison();
    pacer.start();
    for (let i = 0; i < this.plan.steps.length; i++) {
      const step = this.plan.steps[i] as Plan['steps'][number];
      const given = this.#given[i] as Float64Array;
      step.arguments.forEach((argument, position) => {
        given[position] = call.arguments[argument] as number;
      });
      try {
        const pending = (this.#kernels[i] as CompiledKernel).run(step.operands.map(arrayOf), given, workspace);
        if (pending) await pending;
      } catch (error) {
        throw stepError(this.plan, i, error);
      }
      around.kernelDone();
      times.push(pacer.lap());
      if (pacer.isDue) await pacer.pause();
    }
    return times;
  }

  #viewsOn(memory: ArrayBuffer): readonly (HostArray | undefined)[] {
    if (memory !== this.#memory) {
      this.#memory = memory;
      this.#views = this.plan.values.map(({ dtype, length }, value) => {
        const offset = this.layout.offsets[value] as number;
        return offset < 0 ? undefined : viewOf(memory, offset, dtype, length);
      });
    }
    return this.#views;
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.#memory = undefined;
    this.#views = [];
    this.#release(this);
  }
}

function stepError({ steps }: Plan, step: number, cause: unknown): Error {
  const kernel = steps[step]?.kernel;
  const name = kernel?.kind === 'host' ? `host ${kernel.name}` : kernel?.kind;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new Error(`js backend: step ${step} of ${steps.length} (${name}) failed: ${message}`, { cause });
}
