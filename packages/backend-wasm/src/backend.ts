import type { Backend, Call, Capabilities, DeviceBuffer, DType, Executable, HostArray, Run } from '@evenkeel/tensor';
import { bytesPerElement } from '@evenkeel/tensor';
import { bindInputs, bindOutputs, type Plan } from '@evenkeel/tensor/kernel';
import { type BufferHome, WasmBuffer } from './buffer.ts';
import { DeviceMemory, MEMORY_BYTES } from './device-memory.ts';
import type { InstructionSet } from './emitted-kernel.ts';
import { WasmExecutable } from './executable.ts';
import { probeInstructions } from './instructions.ts';
import { emitPlan } from './plan-module.ts';
import { ScratchArena } from './scratch-arena.ts';
import { WorkerPool } from './worker-pool.ts';

/** How a WebAssembly backend works. */
export interface WasmOptions {
  /** Worker threads. Default: all cores. */
  readonly threads?: number;
  /** Most bytes of buffers and scratch together, up to 4 GiB. */
  readonly memoryBytes?: number;
  /** Instructions to use. Default: fused multiply-add where the engine has it, else plain ones. */
  readonly instructions?: InstructionSet;
  /** Turn on experimental flags of V8 that make more instructions available, for the whole process. Default false. */
  readonly experimental?: boolean;
}

export interface WasmBackend extends Backend {
  readonly instructions: InstructionSet;
}

/** Browsers and newer Nodes say it in `navigator`; Node 20 only in its own module, which a page must not import. */
function cores(): number {
  const os = globalThis.process?.getBuiltinModule?.('node:os');
  return os?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 2;
}

/**
 * A backend that writes WebAssembly SIMD for each plan and runs it on worker threads over one shared memory. The calling
 * thread stays free. Equal thread counts and instructions give equal bits.
 *
 * @throws where the engine has no shared memory: a page needs cross-origin isolation.
 * @example
 * setBackend(wasm({ threads: 2 }));
 */
export function wasm(options: WasmOptions = {}): WasmBackend {
  return new PlanRunner(options);
}

class PlanRunner implements WasmBackend, BufferHome {
  readonly name = 'wasm';
  readonly capabilities: Capabilities;
  readonly instructions: InstructionSet;
  readonly #memory: DeviceMemory;
  readonly #pool: WorkerPool;
  readonly #arena: ScratchArena;
  readonly #live = new Set<WasmBuffer>();
  #modules = 0;
  #queue: Promise<void> = Promise.resolve();
  #pending = 0;
  #disposed = false;

  constructor({ threads = cores(), memoryBytes = MEMORY_BYTES, instructions, experimental = false }: WasmOptions) {
    this.instructions = instructions ?? probeInstructions({ experimental });
    this.#memory = new DeviceMemory({ shared: true, limit: memoryBytes });
    this.#pool = new WorkerPool(threads, this.#memory.memory);
    this.#arena = new ScratchArena(this.#memory);
    this.capabilities = {
      dtypes: ['float32', 'float64', 'float16', 'int32', 'uint32', 'bool'],
      layouts: { conv: 'channels-last' },
      buffersPerKernel: 256,
      maxBufferBytes: Math.min(this.#memory.limit, 2 ** 31 - 1),
      memoryBytes: this.#memory.limit,
      threads,
      inPlace: true,
    };
  }

  supports(): true {
    return true;
  }

  allocate({ dtype, length }: { dtype: DType; length: number }): WasmBuffer {
    this.#checkAlive();
    const bytes = length * bytesPerElement(dtype);
    const address = this.#memory.allocate(bytes);
    if (address === undefined) throw this.#noRoom(bytes, `a buffer of ${length} x ${dtype}`);
    const buffer = new WasmBuffer(dtype, length, address, this);
    this.#live.add(buffer);
    return buffer;
  }

  view(buffer: WasmBuffer): HostArray {
    return this.#memory.view(buffer.dtype, buffer.address('use'), buffer.length);
  }

  freed(buffer: WasmBuffer, address: number): void {
    this.#live.delete(buffer);
    this.#memory.free(address, buffer.bytes);
  }

  async compile(plan: Plan): Promise<Executable> {
    this.#checkAlive();
    const module = emitPlan(plan, { instructions: this.instructions, threads: this.#pool.threads });
    const id = ++this.#modules;
    this.#pool.add(id, await WebAssembly.compile(module.bytes));
    return new WasmExecutable(plan, {
      id,
      module,
      threads: this.#pool.threads,
      release: (executable) => {
        // Runs that were given before still use the module.
        void this.inOrder(() => {
          this.#pool.drop(id);
          this.#arena.release(executable);
        });
      },
    });
  }

  run(executable: Executable, call: Call): Run {
    this.#checkAlive();
    if (!(executable instanceof WasmExecutable))
      throw new Error('wasm backend: run of an executable of another backend');
    if (executable.disposed) throw new Error('wasm backend: run of a disposed executable. Compile the plan again');
    const { plan } = executable;
    const buffers = bindInputs(plan, call, {
      name: this.name,
      isOwn: (buffer): buffer is WasmBuffer => buffer instanceof WasmBuffer && buffer.home === this,
    });
    bindOutputs(plan, buffers, (value) => this.allocate(value));
    const addresses = buffers.map((buffer) => buffer?.address('run'));
    // Callers may reuse their argument array.
    const settled = { ...call, arguments: call.arguments.slice() };
    const stepTimes = this.#enqueue(() => {
      const scratch = this.#arena.reserve(executable);
      if (scratch === undefined) throw this.#noRoom(executable.scratchBytes, 'scratch of a plan');
      return executable.execute(settled, addresses, { memory: this.#memory, pool: this.#pool, scratch });
    });
    const done = stepTimes.then(() => undefined);
    // Who never looks at a run must not bring the process down with its failure.
    done.catch(() => {});
    const outputs = plan.outputs.map((value) => buffers[value] as DeviceBuffer);
    return { submitted: Promise.resolve(), done, outputs, ...(call.profile ? { stepTimes } : {}) };
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#queue;
    await this.#pool.dispose();
    for (const buffer of [...this.#live]) buffer.free();
  }

  async inOrder<T>(work: () => T): Promise<T> {
    return this.#pending === 0 ? work() : this.#enqueue(work);
  }

  #enqueue<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#pending++ === 0) this.#pool.keepAlive(true);
    const result = this.#queue.then(work);
    const over = (): void => {
      if (--this.#pending === 0) this.#pool.keepAlive(false);
    };
    this.#queue = result.then(over, over);
    return result;
  }

  #checkAlive(): void {
    if (this.#disposed) throw new Error('wasm backend: used after dispose. Create another');
  }

  #noRoom(bytes: number, what: string): Error {
    const { limit, used } = this.#memory;
    const largest = [...this.#live]
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, 3)
      .map((buffer) => `${size(buffer.bytes)} ${buffer.dtype}`)
      .join(', ');
    return new Error(
      `wasm backend: ${what} needs ${size(bytes)} more, the limit is ${size(limit)}: ${size(used)} are in use by ${this.#live.size} buffers${largest && ` (largest: ${largest})`} and scratch. Use smaller batches, dispose results, or raise memoryBytes`,
    );
  }
}

function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const unit = Math.min(3, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${Number((bytes / 2 ** (10 * unit)).toPrecision(4))} ${units[unit]}`;
}
