import type { Call, Executable, HostArray } from '@evenkeel/tensor';
import { hostArray } from '@evenkeel/tensor';
import type { HostStep, Plan, Step } from '@evenkeel/tensor/kernel';
import type { DeviceMemory } from './device-memory.ts';
import { argumentsOffset } from './emitted-kernel.ts';
import { type PlanModule, parameterOrder, type RunParameters } from './plan-module.ts';
import { layOut, type ScratchLayout } from './scratch-layout.ts';
import type { WorkerPool } from './worker-pool.ts';

/** A plan as a module that the threads have. */
export class WasmExecutable implements Executable {
  readonly plan: Plan;
  readonly id: number;
  readonly module: PlanModule;
  readonly layout: ScratchLayout;
  disposed = false;
  readonly #release: (executable: WasmExecutable) => void;

  constructor(
    plan: Plan,
    {
      id,
      module,
      threads,
      release,
    }: { id: number; module: PlanModule; threads: number; release: (executable: WasmExecutable) => void },
  ) {
    this.plan = plan;
    this.id = id;
    this.module = module;
    this.layout = layOut(plan, module, threads);
    this.#release = release;
  }

  get scratchBytes(): number {
    return this.layout.bytes;
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.#release(this);
  }

  /** Runs all steps with scratch memory at `scratch`; `addresses` has inputs and outputs by value. Gives milliseconds. */
  async execute(
    call: Call,
    addresses: readonly (number | undefined)[],
    around: { memory: DeviceMemory; pool: WorkerPool; scratch: number },
  ): Promise<number[]> {
    const { memory, pool, scratch } = around;
    const { plan, layout } = this;
    const addressOf = (value: number): number => addresses[value] ?? scratch + (layout.values[value] as number);
    this.#writeTables(call, addressOf, around);
    const times: number[] = [];
    for (const { from, to, isHost } of this.#segments(call.profile ?? false)) {
      const started = performance.now();
      try {
        if (isHost) await runHostStep(plan.steps[from] as Step, call, (value) => this.#view(value, addressOf, memory));
        else
          await pool.run(this.id, scratch + layout.sync, (thread) =>
            this.#parameters(scratch, thread, { from, to }, pool),
          );
      } catch (error) {
        throw stepError(plan, from, to, error);
      }
      const each = (performance.now() - started) / (to - from);
      for (let step = from; step < to; step++) times.push(each);
    }

    return times;
  }

  #segments(profile: boolean): PlanModule['segments'] {
    const { segments } = this.module;
    if (!profile) return segments;
    return segments.flatMap(({ from, to, isHost }) => {
      return Array.from({ length: to - from }, (_, i) => ({ from: from + i, to: from + i + 1, isHost }));
    });
  }

  #parameters(
    scratch: number,
    thread: number,
    { from, to }: { from: number; to: number },
    { threads }: WorkerPool,
  ): number[] {
    const { layout } = this;
    const parameters: RunParameters = {
      threads,
      tables: scratch + layout.tables,
      own: scratch + layout.own + thread * layout.ownStride,
      shared: scratch + layout.shared,
      sync: scratch + layout.sync,
      counters: scratch + layout.counters,
      from,
      to,
    };
    return parameterOrder.map((name) => parameters[name]);
  }

  #writeTables(
    call: Call,
    addressOf: (value: number) => number,
    { memory, scratch }: { memory: DeviceMemory; scratch: number },
  ): void {
    const { layout, module, plan } = this;
    memory.view('uint32', scratch + layout.counters, module.counters).fill(0);
    const words = memory.view('uint32', scratch + layout.tables, module.tableBytes / 4);
    const numbers = memory.view('float64', scratch + layout.tables, module.tableBytes / 8);
    plan.steps.forEach(({ operands, arguments: given }, step) => {
      const offset = module.tableOffsets[step] as number;
      operands.forEach((value, operand) => {
        words[offset / 4 + operand] = addressOf(value);
      });
      given.forEach((argument, i) => {
        numbers[(offset + argumentsOffset(operands.length)) / 8 + i] = call.arguments[argument] as number;
      });
    });
  }

  #view(value: number, addressOf: (value: number) => number, memory: DeviceMemory): HostArray {
    const { dtype, length } = this.plan.values[value] as Plan['values'][number];
    return memory.view(dtype, addressOf(value), length);
  }
}

async function runHostStep(
  { kernel, operands, arguments: given }: Step,
  call: Call,
  view: (value: number) => HostArray,
): Promise<void> {
  const step = kernel as HostStep;

  const inputs = operands.slice(0, -1).map((value) => {
    const shared = view(value);
    const copy = new (shared.constructor as new (length: number) => HostArray)(shared.length);
    copy.set(shared as Float32Array);
    return copy;
  });
  const result = await step.run(
    inputs,
    Float64Array.from(given, (argument) => call.arguments[argument] as number),
  );
  // The memory may have grown in between.
  const output = view(operands.at(-1) as number);
  const { dtype } = step.operands.at(-1) as HostStep['operands'][number];
  const expected = hostArray(dtype, 0).constructor;
  if (result.constructor !== expected || result.length !== output.length) {
    throw new Error(
      `host ${step.name}: returned ${result.constructor.name} of length ${result.length}, the result is ${dtype} of ${output.length}. Return a ${expected.name} of length ${output.length}`,
    );
  }
  output.set(result as Float32Array);
}

function stepError({ steps }: Plan, from: number, to: number, cause: unknown): Error {
  const kernel = steps[from]?.kernel;
  const name = kernel?.kind === 'host' ? `host ${kernel.name}` : kernel?.kind;
  const message = cause instanceof Error ? cause.message : String(cause);
  const where =
    to - from === 1 ? `step ${from} of ${steps.length} (${name})` : `steps ${from} to ${to - 1} of ${steps.length}`;
  return new Error(`wasm backend: ${where} failed: ${message}`, { cause });
}
