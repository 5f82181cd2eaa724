import type { Backend, Call, Capabilities, DeviceBuffer, DType, Executable, Run } from '@evenkeel/tensor';
import { bytesPerElement } from '@evenkeel/tensor';
import { bindInputs, bindOutputs, type Plan, type ScratchItem } from '@evenkeel/tensor/kernel';
import { AddressSpace, sizeOf } from './address-space.ts';
import { type BufferHome, WasmBuffer } from './buffer.ts';
import type { InstructionSet } from './emitted-kernel.ts';
import { type Times, WasmExecutable } from './executable.ts';
import { type HostMemory, pagesFor, SharedMemory, WorkerMemory } from './host-memory.ts';
import { probeInstructions } from './instructions.ts';
import { noRoom } from './no-room.ts';
import { cores, type Settings, settle, type WasmOptions } from './options.ts';
import { emitPlan, type PlanModule } from './plan-module.ts';
import { ScratchArena } from './scratch-arena.ts';
import { layOut, type ScratchLayout } from './scratch-layout.ts';
import { checkTuning, defaultTuning, measureTuning, type Tuning } from './tuning.ts';
import { WorkerPool } from './worker-pool.ts';

/** What {@link wasm} gives. */
export interface WasmBackend extends Backend {
  readonly instructions: InstructionSet;
}

/**
 * A backend that writes WebAssembly SIMD for each plan and runs it on worker threads over one memory, in Node and in
 * browsers. The calling thread stays free. Equal thread counts and instructions give equal bits. Where a page is not
 * cross-origin isolated, one worker does all.
 *
 * @throws for options out of range, and for `shared: true` in a page that is not isolated.
 * @example
 * setBackend(wasm({ threads: 2 }));
 * await tensor([1, 2, 3]).square().sum().item(); // 14
 */
export function wasm(options: WasmOptions = {}): WasmBackend {
  return new PlanRunner(settle(options));
}

interface Emitted {
  readonly module: PlanModule;
  readonly layout: ScratchLayout;
}

class PlanRunner implements WasmBackend, BufferHome {
  readonly name = 'wasm';
  readonly capabilities: Capabilities;
  readonly instructions: InstructionSet;
  readonly numerics: string;
  readonly memory: HostMemory;
  readonly #shared: boolean;
  readonly #debug: Settings['debug'];
  readonly #fastConvolutions: boolean;
  readonly #space: AddressSpace;
  readonly #pool: WorkerPool;
  readonly #arena: ScratchArena;
  readonly #live = new Set<WasmBuffer>();
  readonly #emitted = new WeakMap<Plan, Emitted>();
  #measuring: Promise<void> | undefined;
  #tuning: Tuning | undefined;
  #modules = 0;
  /** All that was given is over; and when the next run may be given to the threads. */
  #queue: Promise<void> = Promise.resolve();
  #turn: Promise<void> = Promise.resolve();
  #pending = 0;
  #disposed = false;

  constructor({ threads, shared, memoryBytes, instructions, fastConvolutions, experimental, tuning, debug }: Settings) {
    this.#debug = debug;
    this.#fastConvolutions = fastConvolutions;
    const best = probeInstructions({ experimental });
    if (instructions !== undefined && instructions !== 'plain' && best === 'plain') {
      throw new Error(
        `wasm: instructions is '${instructions}', but this engine has no relaxed SIMD. Take 'plain' or leave it out; in Node 20, experimental: true turns relaxed SIMD on`,
      );
    }
    this.instructions = instructions ?? best;
    this.numerics = `WebAssembly, ${this.instructions}${fastConvolutions ? ', fast convolutions' : ''}`;
    this.#tuning = tuning && checkTuning(tuning, this.instructions);
    this.#shared = shared;
    if (shared) {
      const memory = new SharedMemory(memoryBytes);
      this.memory = memory;
      this.#pool = new WorkerPool({ threads, memory: memory.memory });
    } else {
      this.#pool = new WorkerPool({ threads, memory: pagesFor(memoryBytes) });
      this.memory = new WorkerMemory(this.#pool);
    }
    // Threads start while the first plan is made. Whoever needs them waits for them, and hears what went wrong.
    this.#pool.start().catch(() => undefined);
    this.#space = new AddressSpace(memoryBytes, (end) => this.memory.reach(end));
    this.#arena = new ScratchArena(this.#space);
    this.capabilities = {
      dtypes: ['float32', 'float64', 'float16', 'int32', 'uint32', 'bool'],
      layouts: { conv: 'channels-last' },
      buffersPerKernel: 256,
      maxBufferBytes: Math.min(memoryBytes, 2 ** 31 - 1),
      memoryBytes,
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
    const fits = this.#space.used + sizeOf(bytes) + this.#arena.missing() <= this.#space.limit;
    const address = fits ? this.#space.allocate(bytes) : undefined;
    if (address === undefined) throw this.#noRoom([{ what: `a buffer of ${length} x ${dtype}`, bytes }]);
    const buffer = new WasmBuffer(dtype, length, address, this);
    this.#live.add(buffer);
    return buffer;
  }

  freed(buffer: WasmBuffer, address: number): void {
    this.#live.delete(buffer);
    this.#space.free(address, buffer.bytes);
  }

  scratchOf(plan: Plan): readonly ScratchItem[] {
    return this.#emit(plan).layout.items;
  }

  async compile(plan: Plan): Promise<Executable> {
    this.#checkAlive();
    if (this.#tuning === undefined) await this.#measure();
    const { module, layout } = this.#emit(plan);
    const id = ++this.#modules;
    this.#pool.add(id, await WebAssembly.compile(module.bytes));
    return new WasmExecutable(plan, {
      id,
      module,
      layout,
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
    this.#checkRoom(executable);
    this.#arena.expect(executable);
    bindOutputs(plan, buffers, (value) => this.allocate(value));
    const addresses = buffers.map((buffer) => buffer?.address('run'));
    // Callers may reuse their argument array.
    const settled = { ...call, arguments: call.arguments.slice() };
    const start = (): Promise<Times> => {
      const places = this.#arena.reserve(executable);
      if (places === undefined) throw this.#noRoom(executable.layout.items);
      return executable.execute(settled, addresses, { memory: this.memory, pool: this.#pool, ...places });
    };
    const mayFollow = this.#shared && executable.isOneCall && !call.profile;
    const times = mayFollow ? this.#follow(start, () => this.#arena.holds(executable)) : this.#enqueue(start);
    const done = times.then(() => undefined);
    const busy = times.then((measured) => measured.busy);
    // Who never looks at a run must not bring the process down with its failure.
    for (const promise of [done, busy]) promise.catch(() => {});
    const outputs = plan.outputs.map((value) => buffers[value] as DeviceBuffer);
    const stepTimes = call.profile ? { stepTimes: times.then(({ steps }) => steps) } : {};
    return { submitted: Promise.resolve(), done, busy, outputs, ...stepTimes };
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#queue;
    await this.#pool.dispose();
    for (const buffer of [...this.#live]) buffer.discard();
  }

  async inOrder<T>(work: () => T | Promise<T>): Promise<T> {
    // Memory that is at hand needs no turn when nobody else works.
    return this.#shared && this.#pending === 0 ? work() : this.#enqueue(work);
  }

  #enqueue<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = this.#counted(result);
    this.#turn = this.#queue;
    return result;
  }

  /**
   * A run that threads may be given while they are at the one before: they go on without waiting for this thread. All
   * before that one is over by then, and so is that one where `start` cannot do without.
   */
  #follow(start: () => Promise<Times>, isReady: () => boolean): Promise<Times> {
    const before = this.#queue;
    const started = this.#turn.then(async () => {
      if (!isReady()) await before;
      return { times: start() };
    });
    const result = started.then(({ times }) => times);
    const isOver = this.#counted(result);
    this.#queue = Promise.all([before, isOver]).then(() => undefined);
    this.#turn = Promise.all([before, started.catch(() => undefined)]).then(() => undefined);
    return result;
  }

  /** Keeps the process alive until the work is over; never rejects. */
  #counted(work: Promise<unknown>): Promise<void> {
    if (this.#pending++ === 0) this.#pool.keepAlive(true);
    const over = (): void => {
      if (--this.#pending === 0) this.#pool.keepAlive(false);
    };
    return work.then(over, over);
  }

  async #measure(): Promise<void> {
    this.#measuring ??= measureTuning(this.instructions).then((tuning) => {
      this.#tuning = tuning;
    });
    await this.#measuring;
  }

  #emit(plan: Plan): Emitted {
    const known = this.#emitted.get(plan);
    if (known) return known;
    const { threads } = this.#pool;
    const module = emitPlan(plan, {
      instructions: this.instructions,
      tolerant: this.#fastConvolutions,
      tuning: this.#tuning ?? defaultTuning(this.instructions),
      threads,
      shared: this.#shared,
      spin: threads <= cores(),
      debug: this.#debug,
    });
    const emitted = { module, layout: layOut(plan, module, threads) };
    this.#emitted.set(plan, emitted);
    return emitted;
  }

  #checkAlive(): void {
    if (this.#disposed) throw new Error('wasm backend: used after dispose. Create another');
  }

  /** @throws when a run's outputs and scratch memory do not fit beside what is there. */
  #checkRoom(executable: WasmExecutable): void {
    const { plan } = executable;
    const outputs = plan.outputs.map((value) => plan.values[value] as Plan['values'][number]);
    const outputBytes = outputs
      .filter(({ replaces }) => replaces === undefined)
      .reduce((sum, { dtype, length }) => sum + sizeOf(length * bytesPerElement(dtype)), 0);
    if (this.#space.used + outputBytes + this.#arena.missing(executable) <= this.#space.limit) return;
    throw this.#noRoom([{ what: 'outputs', bytes: outputBytes }, ...executable.layout.items]);
  }

  #noRoom(wanted: readonly ScratchItem[]): Error {
    const [buffers, scratchBytes] = [this.#live, this.#arena.bytes];
    return noRoom({ limit: this.#space.limit, buffers, scratchBytes, wanted });
  }
}
