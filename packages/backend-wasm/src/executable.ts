import type { Call, Executable, HostArray } from '@evenkeel/tensor';
import { hostArray } from '@evenkeel/tensor';
import { describeKernel, type HostStep, type Plan, type Step } from '@evenkeel/tensor/kernel';
import { argumentsOffset } from './emitted-kernel.ts';
import type { HostMemory } from './host-memory.ts';
import { type PlanModule, parameterOrder, type RunParameters } from './plan-module.ts';
import type { ScratchLayout } from './scratch-layout.ts';
import { RunError, type WorkerPool } from './worker-pool.ts';

/** Milliseconds of each step, as seen from here, and of all work as the threads saw it. */
export interface Times {
  readonly steps: readonly number[];
  readonly busy: number;
}

/** Where a run works, and what its parameters are written to. */
interface Around {
  readonly memory: HostMemory;
  readonly pool: WorkerPool;
  readonly scratch: number;
  readonly header: number;
}

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
      layout,
      release,
    }: { id: number; module: PlanModule; layout: ScratchLayout; release: (executable: WasmExecutable) => void },
  ) {
    this.plan = plan;
    this.id = id;
    this.module = module;
    this.layout = layout;
    this.#release = release;
  }

  get scratchBytes(): number {
    return this.layout.items.reduce((all, { bytes }) => all + bytes, 0);
  }

  /** Whether threads go through it from start to end, without the host. */
  get isOneCall(): boolean {
    return this.module.segments.every(({ isHost }) => !isHost);
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.#release(this);
  }

  /** Runs all steps with memory at `scratch` and a header; `addresses` has inputs and outputs by value. */
  async execute(call: Call, addresses: readonly (number | undefined)[], around: Around): Promise<Times> {
    const { memory, pool, scratch, header } = around;
    const { plan, layout } = this;
    const addressOf = (value: number): number => addresses[value] ?? scratch + (layout.values[value] as number);
    const written = memory.write(header, this.#header(call, addressOf));
    if (written) await written;
    const steps: number[] = [];
    let busy = 0;
    for (const { from, to, isHost } of this.#segments(call.profile ?? false)) {
      const started = performance.now();
      try {
        if (isHost) await this.#runHostStep(plan.steps[from] as Step, call, addressOf, memory);
        else
          busy += await pool.run(this.id, header + layout.header.sync, (thread) =>
            this.#parameters(around, thread, { from, to }),
          );
      } catch (error) {
        throw stepError(plan, from, to, error);
      }
      const each = (performance.now() - started) / (to - from);
      for (let step = from; step < to; step++) steps.push(each);
      if (isHost) busy += each;
    }
    return { steps, busy };
  }

  #segments(profile: boolean): PlanModule['segments'] {
    const { segments } = this.module;
    if (!profile) return segments;
    return segments.flatMap(({ from, to, isHost }) => {
      return Array.from({ length: to - from }, (_, i) => ({ from: from + i, to: from + i + 1, isHost }));
    });
  }

  #parameters({ scratch, header, pool }: Around, thread: number, { from, to }: { from: number; to: number }): number[] {
    const { layout } = this;
    const parameters: RunParameters = {
      threads: pool.threads,
      tables: header + layout.header.tables,
      own: scratch + layout.own + thread * layout.ownStride,
      shared: scratch + layout.shared,
      sync: header + layout.header.sync,
      counters: header + layout.header.counters,
      from,
      to,
    };
    return parameterOrder.map((name) => parameters[name]);
  }

  /** Nobody has come to the meeting place, no chunk is taken; each step's operands and arguments. */
  #header(call: Call, addressOf: (value: number) => number): Uint8Array {
    const { layout, module, plan } = this;
    const bytes = new Uint8Array(layout.header.bytes);
    const tables = new DataView(bytes.buffer, layout.header.tables);
    plan.steps.forEach(({ operands, arguments: given }, step) => {
      const offset = module.tableOffsets[step] as number;
      operands.forEach((value, operand) => {
        tables.setUint32(offset + 4 * operand, addressOf(value), true);
      });
      given.forEach((argument, i) => {
        const at = offset + argumentsOffset(operands.length) + 8 * i;
        tables.setFloat64(at, call.arguments[argument] as number, true);
      });
    });
    return bytes;
  }

  async #runHostStep(
    { kernel, operands, arguments: given }: Step,
    call: Call,
    addressOf: (value: number) => number,
    memory: HostMemory,
  ): Promise<void> {
    const step = kernel as HostStep;
    const inputs: HostArray[] = [];
    for (const value of operands.slice(0, -1)) {
      const { dtype, length } = this.plan.values[value] as Plan['values'][number];
      inputs.push(await memory.read(dtype, addressOf(value), length));
    }
    const numbers = Float64Array.from(given, (argument) => call.arguments[argument] as number);
    const result = await step.run(inputs, numbers);
    const output = operands.at(-1) as number;
    const { dtype, length } = this.plan.values[output] as Plan['values'][number];
    const expected = hostArray(dtype, 0).constructor;
    if (result.constructor !== expected || result.length !== length) {
      throw new Error(
        `host ${step.name}: returned ${result.constructor.name} of length ${result.length}, the result is ${dtype} of ${length}. Return a ${expected.name} of length ${length}`,
      );
    }
    // A copy: writing may move the array, which is the step's.
    await memory.write(addressOf(output), result.slice());
  }
}

function stepError({ steps }: Plan, from: number, to: number, cause: unknown): Error {
  const at = cause instanceof RunError ? cause.step : undefined;
  const step = to - from === 1 ? from : at;
  const kernel = step === undefined ? undefined : steps[step]?.kernel;
  const message = cause instanceof Error ? cause.message : String(cause);
  const where = kernel
    ? `step ${step} of ${steps.length} (${describeKernel(kernel)})`
    : `steps ${from} to ${to - 1} of ${steps.length}`;
  return new Error(`wasm backend: ${where} failed: ${message}`, { cause });
}
