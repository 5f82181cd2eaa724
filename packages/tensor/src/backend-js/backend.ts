import type { Backend, Call, Capabilities, DeviceBuffer, Executable, Run } from '../kernel/backend.ts';
import { bindInputs, bindOutputs } from '../kernel/bind.ts';
import type { Plan } from '../kernel/plan.ts';
import { showBytes } from '../kernel/show-bytes.ts';
import { bytesPerElement, type DType, type HostArray } from '../types/dtype.ts';
import { Arena } from './arena.ts';
import { BLOCK_MEMORY_BYTES } from './block-memory.ts';
import { type BufferHome, JsBuffer } from './buffer.ts';
import { KernelCompiler } from './compile-kernel.ts';
import { JsExecutable } from './executable.ts';
import { Pacer } from './pacer.ts';
import { Workspace } from './workspace.ts';

/** How a JS backend works. */
export interface JsBackendOptions {
  /** Interpret kernels instead of making code from strings. By default only where a content-security policy asks for it. */
  interpret?: boolean;
  /** Storage orders that the planner shall choose. Default: row-major. */
  layouts?: Capabilities['layouts'];
  /** Most bytes of buffers and scratch together; more fails before anything is allocated. Default 8 GiB. */
  memoryBytes?: number;
  /** Fill scratch memory with NaN before each run, to find reads of what nothing wrote. Default false. */
  poison?: boolean;
  /** When work on the main thread lets others have a turn. Default: after every 8 milliseconds of work. */
  pacer?: Pacer;
}

/** What a backend has done and holds, for tests and reports. */
export interface JsBackendStatistics {
  readonly liveBuffers: number;
  /** Bytes of live buffers, without scratch. */
  readonly bufferBytes: number;
  /** Bytes of temporaries, of rows kept between passes, and of contractions' blocks. */
  readonly scratchBytes: number;
  readonly kernelsRun: number;
  readonly plansRun: number;
}

export interface JsBackend extends Backend {
  readonly statistics: JsBackendStatistics;
  /** Whether kernels are interpreted. */
  readonly interprets: boolean;
}

/**
 * The backend that is always there: kernels as JavaScript functions on the calling thread, buffers as typed arrays.
 * All dtypes; float32 is computed in float64 and rounded where it is stored, cast or compared.
 *
 * @example
 * const backend = createJsBackend({ memoryBytes: 2 ** 30 });
 * await withBackend(backend, () => tensor([1, 2]).sum().item()); // 3
 */
export function createJsBackend(options: JsBackendOptions = {}): JsBackend {
  return new PlainBackend(options);
}

class PlainBackend implements JsBackend, BufferHome {
  readonly name = 'js';
  readonly capabilities: Capabilities;
  readonly #compiler: KernelCompiler;
  readonly #arena = new Arena();
  readonly #workspace = new Workspace();
  readonly #pacer: Pacer;
  readonly #poison: boolean;
  readonly #live = new Set<JsBuffer>();
  #bufferBytes = 0;
  #kernelsRun = 0;
  #plansRun = 0;
  #queue: Promise<void> = Promise.resolve();
  #pending = 0;
  #disposed = false;

  constructor({ interpret, layouts = {}, memoryBytes = 8 * 2 ** 30, poison = false, pacer }: JsBackendOptions) {
    this.#compiler = new KernelCompiler({ interpret });
    this.#pacer = pacer ?? new Pacer();
    this.#poison = poison;
    this.capabilities = {
      dtypes: ['float32', 'float64', 'float16', 'int32', 'uint32', 'bool'],
      layouts,
      buffersPerKernel: 64,
      maxBufferBytes: Math.min(memoryBytes, 4 * 2 ** 30),
      memoryBytes,
      threads: 1,
      inPlace: true,
    };
  }

  get interprets(): boolean {
    return this.#compiler.interprets;
  }

  get statistics(): JsBackendStatistics {
    return {
      liveBuffers: this.#live.size,
      bufferBytes: this.#bufferBytes,
      scratchBytes: this.#arena.bytes + this.#workspace.bytes + this.#compiler.memoryBytes,
      kernelsRun: this.#kernelsRun,
      plansRun: this.#plansRun,
    };
  }

  supports(): true {
    return true;
  }

  allocate({ dtype, length }: { dtype: DType; length: number }): JsBuffer {
    this.#checkAlive();
    this.#checkRoom(length * bytesPerElement(dtype), `a buffer of ${length} x ${dtype}`);
    const buffer = new JsBuffer(dtype, length, this);
    this.#live.add(buffer);
    this.#bufferBytes += buffer.bytes;
    return buffer;
  }

  freed(buffer: JsBuffer): void {
    this.#live.delete(buffer);
    this.#bufferBytes -= buffer.bytes;
  }

  async compile(plan: Plan): Promise<Executable> {
    this.#checkAlive();
    if (this.#compiler.memoryBytes === 0 && plan.steps.some(({ kernel }) => kernel.kind === 'contraction')) {
      this.#checkRoom(BLOCK_MEMORY_BYTES, 'the blocks of contractions');
    }
    return new JsExecutable(plan, this.#compiler, ({ layout }) => {
      // Runs that were given before may still use the memory.
      void this.inOrder(() => this.#arena.release(layout));
    });
  }

  run(executable: Executable, call: Call): Run {
    this.#checkAlive();
    if (!(executable instanceof JsExecutable)) throw new Error('js backend: run of an executable of another backend');
    if (executable.disposed) throw new Error('js backend: run of a disposed executable. Compile the plan again');
    const { plan } = executable;
    const buffers = bindInputs(plan, call, {
      name: this.name,
      isOwn: (buffer): buffer is JsBuffer => buffer instanceof JsBuffer && buffer.home === this,
    });
    this.#checkScratch(executable);
    bindOutputs(plan, buffers, (value) => this.allocate(value));
    const arrays = buffers.map((buffer): HostArray | undefined => buffer?.array('run'));
    const around = {
      arena: this.#arena,
      workspace: this.#workspace,
      pacer: this.#pacer,
      poison: this.#poison,
      kernelDone: () => {
        this.#kernelsRun++;
      },
    };
    // Callers may reuse their argument array.
    const settled = { ...call, arguments: call.arguments.slice() };
    const stepTimes = this.#enqueue(async () => {
      const times = await executable.execute(settled, arrays, around);
      this.#plansRun++;
      return times;
    });
    const done = stepTimes.then(() => undefined);
    const busy = stepTimes.then((times) => times.reduce((sum, time) => sum + time, 0));
    // Who never looks at a run must not bring the process down with its failure.
    for (const promise of [done, busy]) promise.catch(() => {});
    const outputs = plan.outputs.map((value) => buffers[value] as DeviceBuffer);
    return { submitted: Promise.resolve(), done, busy, outputs, ...(call.profile ? { stepTimes } : {}) };
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#queue;
    for (const buffer of [...this.#live]) buffer.discard();
    this.#workspace.clear();
  }

  async inOrder<T>(work: () => T): Promise<T> {
    return this.#pending === 0 ? work() : this.#enqueue(work);
  }

  #enqueue<T>(work: () => T | Promise<T>): Promise<T> {
    this.#pending++;
    const result = this.#queue.then(work);
    const over = (): void => {
      this.#pending--;
    };
    this.#queue = result.then(over, over);
    return result;
  }

  #checkAlive(): void {
    if (this.#disposed) throw new Error('js backend: used after dispose. Create another');
  }

  #checkScratch({ layout, scratchLengths }: JsExecutable): void {
    const more = this.#arena.bytesWith(layout) - this.#arena.bytes + this.#workspace.bytesMoreFor(scratchLengths);
    if (more > 0) this.#checkRoom(more, 'scratch of a plan');
  }

  #checkRoom(bytes: number, what: string): void {
    const { memoryBytes } = this.capabilities;
    const { bufferBytes, liveBuffers, scratchBytes } = this.statistics;
    if (bufferBytes + scratchBytes + bytes <= memoryBytes) return;
    const largest = [...this.#live]
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, 3)
      .map((buffer) => `${showBytes(buffer.bytes)} ${buffer.dtype}`)
      .join(', ');
    throw new Error(
      `js backend: ${what} needs ${showBytes(bytes)} more, the limit is ${showBytes(memoryBytes)}: ${liveBuffers} buffers hold ${showBytes(bufferBytes)}${largest && ` (largest: ${largest})`}, scratch ${showBytes(scratchBytes)}. Use smaller batches, dispose results, or raise memoryBytes`,
    );
  }
}
