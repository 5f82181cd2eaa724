import type { Backend, Call, Capabilities, DeviceBuffer, DType, Executable, HostArray, Run } from '@evenkeel/tensor';
import { bindInputs, bindOutputs, type Kernel, type Plan, type ScratchItem, showBytes } from '@evenkeel/tensor/kernel';
import { type BufferHome, WebgpuBuffer } from './buffer.ts';
import { BufferPool } from './buffer-pool.ts';
import { capabilitiesOf, traitsOf } from './capabilities.ts';
import { type Device, openDevice } from './device.ts';
import { type DeviceError, watchErrors } from './error-scopes.ts';
import { type Memories, makeExecutable, WebgpuExecutable } from './executable.ts';
import { type Settings, settle, type WebgpuOptions } from './options.ts';
import { Pipelines } from './pipelines.ts';
import { Readback } from './readback.ts';
import { type StepTimes, submitPlan } from './run-plan.ts';
import { ScratchArena, scratchItems } from './scratch.ts';
import { storedBytes } from './stored-values.ts';
import { supportOf } from './supports.ts';
import { tileSpeeds } from './tile-speeds.ts';
import { Trouble } from './trouble.ts';
import { Turns } from './turns.ts';
import type { DeviceTraits } from './wgsl/device-traits.ts';
import { printKernel } from './wgsl/print-kernel.ts';
import type { PrintedKernel } from './wgsl/printed-kernel.ts';

/** What a backend has done and holds, for tests and reports. */
export interface WebgpuStatistics {
  readonly liveBuffers: number;
  /** Bytes of live buffers, without scratch. */
  readonly bufferBytes: number;
  readonly scratchBytes: number;
  /** Bytes that were given back and are kept for the next buffer of their size. */
  readonly idleBytes: number;
  /** Kernels handed to the device; host steps do not count. */
  readonly kernelsRun: number;
  readonly plansRun: number;
  /** Programs that were compiled. */
  readonly pipelines: number;
}

/** What {@link webgpu} gives. */
export interface WebgpuBackend extends Backend {
  /** The device's names, as its driver has them. */
  readonly device: string;
  readonly statistics: WebgpuStatistics;
}

/**
 * A backend that writes WGSL for each kernel and runs it on a graphics card: by `navigator.gpu` in browsers, by the
 * package `webgpu` in Node. What a card cannot do (float64) runs on the host, and `explain` lists it.
 *
 * @throws when there is no WebGPU or no device, with what to do about it; for options out of range.
 * @example
 * const backend = await webgpu().catch(() => createJsBackend()); // where there is no device, plain JavaScript
 * await withBackend(backend, () => tensor([1, 2, 3]).square().sum().item()); // 14
 */
export async function webgpu(options: WebgpuOptions = {}): Promise<WebgpuBackend> {
  const settings = settle(options);
  return new PlanRunner(await openDevice(settings), settings);
}

/** The share of the memory that may wait to be used again: a card takes milliseconds to give half a gigabyte anew. */
const IDLE = 1 / 8;

class PlanRunner implements WebgpuBackend, BufferHome {
  readonly name = 'webgpu';
  readonly device: string;
  readonly numerics: string;
  readonly capabilities: Capabilities;
  readonly #device: GPUDevice;
  readonly #isOwn: boolean;
  #traits: DeviceTraits;
  /** Whether the tiles' speeds are still to be measured. */
  #isUntuned: boolean;
  readonly #pool: BufferPool;
  readonly #arena: ScratchArena;
  readonly #readback: Readback;
  readonly #turns = new Turns();
  readonly #trouble: Trouble;
  readonly #pipelines: Pipelines;
  #printed = new WeakMap<Kernel, PrintedKernel>();
  readonly #executables = new Set<WebgpuExecutable>();
  readonly #live = new Set<WebgpuBuffer>();
  #bufferBytes = 0;
  #kernelsRun = 0;
  #plansRun = 0;
  #underWay = new Set<Promise<unknown>>();
  #isDisposed = false;

  constructor(opened: Device, { memoryBytes, tune, debug }: Settings) {
    const { device, description, isOwn, isSoftware } = opened;
    this.#device = device;
    this.#isOwn = isOwn;
    this.device = description;
    this.numerics = `WebGPU, ${description}`;
    this.#traits = traitsOf(opened);
    this.#isUntuned = tune ?? (isOwn && !isSoftware);
    this.capabilities = capabilitiesOf(device, memoryBytes);
    const trouble = new Trouble(device);
    this.#trouble = trouble;
    this.#pool = new BufferPool(device, memoryBytes * IDLE, (bytes, error) => {
      trouble.noteMemory(bytes, error);
    });
    this.#arena = new ScratchArena(this.#pool);
    this.#readback = new Readback(device);
    this.#pipelines = new Pipelines(device, debug);
  }

  get statistics(): WebgpuStatistics {
    return {
      liveBuffers: this.#live.size,
      bufferBytes: this.#bufferBytes,
      scratchBytes: this.#arena.bytes,
      idleBytes: this.#pool.idle.bytes,
      kernelsRun: this.#kernelsRun,
      plansRun: this.#plansRun,
      pipelines: this.#pipelines.size,
    };
  }

  supports(kernel: Kernel): true | string {
    return supportOf(kernel);
  }

  allocate({ dtype, length }: { dtype: DType; length: number }): WebgpuBuffer {
    this.#checkAlive();
    const bytes = storedBytes(dtype, length);
    const { maxBufferBytes, memoryBytes } = this.capabilities;
    const what = `a buffer of ${length} x ${dtype}`;
    if (bytes > maxBufferBytes) {
      throw new Error(
        `webgpu backend: ${what} takes ${showBytes(bytes)}, this device binds ${showBytes(maxBufferBytes)} at most (maxStorageBufferBindingSize, maxBufferSize). Use smaller batches`,
      );
    }
    const held = this.#bufferBytes + this.#arena.bytes;
    if (held + bytes > memoryBytes) {
      throw new Error(
        `webgpu backend: ${what} needs ${showBytes(bytes)} more, the limit is ${showBytes(memoryBytes)}: ${this.#live.size} buffers hold ${showBytes(this.#bufferBytes)}, scratch ${showBytes(this.#arena.bytes)}. Use smaller batches, dispose results, or raise memoryBytes`,
      );
    }
    const buffer = new WebgpuBuffer(dtype, length, this.#pool.take(bytes), this);
    this.#live.add(buffer);
    this.#bufferBytes += buffer.bytes;
    return buffer;
  }

  freed(buffer: WebgpuBuffer, memory: GPUBuffer): void {
    this.#live.delete(buffer);
    this.#bufferBytes -= buffer.bytes;
    if (this.#isDisposed || this.#trouble.isLost) memory.destroy();
    else this.#pool.give(memory);
  }

  async writeBuffer(target: GPUBuffer, bytes: ArrayBuffer): Promise<void> {
    this.#checkAlive();
    await this.#turns.take(() => {
      const close = watchErrors(this.#device);
      this.#device.queue.writeBuffer(target, 0, bytes);
      // Nobody waits for it: who reads or runs next hears of it.
      void close().then((error) => {
        if (error) this.#trouble.noteWrite(error);
      });
    });
  }

  async readBuffer(source: WebgpuBuffer): Promise<HostArray> {
    this.#checkAlive();
    // The copy takes its turn; waiting for it holds nobody up.
    const { values, errors } = await this.#turns.take(() => {
      const close = watchErrors(this.#device);
      const reading = this.#readback.read(source.memory('read'), source.dtype, source.length);
      reading.catch(() => {});
      return { values: this.#watch(reading), errors: close() };
    });
    const trouble = await this.#trouble.of(await errors);
    if (trouble) throw trouble;
    try {
      return await values;
    } catch (error) {
      throw (await this.#trouble.loss()) ?? error;
    }
  }

  scratchOf(plan: Plan): readonly ScratchItem[] {
    return scratchItems(plan, this.#print(plan));
  }

  async compile(plan: Plan): Promise<Executable> {
    this.#checkAlive();
    if (this.#isUntuned && plan.steps.some(({ kernel }) => kernel.kind === 'contraction')) await this.#tune();
    const close = watchErrors(this.#device);
    const making = makeExecutable(plan, this.#print(plan), {
      device: this.#device,
      pipelines: this.#pipelines,
      release: (released) => {
        // Runs that were given before may still use its memory.
        void this.#turns.take(() => {
          this.#arena.release(released.layout);
          this.#executables.delete(released);
          released.destroy();
        });
      },
    });
    const errors = close();
    let executable: WebgpuExecutable;
    try {
      executable = await this.#watch(making);
    } catch (error) {
      throw (await this.#trouble.loss()) ?? error;
    }
    const trouble = await this.#trouble.of(await errors);
    if (trouble) throw trouble;
    this.#executables.add(executable);
    return executable;
  }

  run(executable: Executable, call: Call): Run {
    this.#checkAlive();
    if (!(executable instanceof WebgpuExecutable)) {
      throw new Error('webgpu backend: run of an executable of another backend');
    }
    if (executable.isDisposed) throw new Error('webgpu backend: run of a disposed executable. Compile the plan again');
    const { plan } = executable;
    const buffers = bindInputs(plan, call, {
      name: this.name,
      isOwn: (buffer): buffer is WebgpuBuffer => buffer instanceof WebgpuBuffer && buffer.home === this,
    });
    this.#checkRoom(executable);
    bindOutputs(plan, buffers, (value) => this.allocate(value));
    const bound = buffers.map((buffer) => buffer?.memory('run'));
    // Callers may reuse their argument array.
    const settled = { ...call, arguments: call.arguments.slice() };
    const handed = this.#turns.take(() => this.#submit(executable, settled, bound));
    const submitted = Promise.resolve(handed).then(() => undefined);
    const times = Promise.resolve(handed).then(async ({ stepTimes, errors }) => {
      await this.#device.queue.onSubmittedWorkDone().catch(() => undefined);
      const trouble = await this.#trouble.of(await errors);
      if (trouble) throw trouble;
      this.#plansRun++;
      return stepTimes();
    });
    this.#watch(times);
    const done = times.then(() => undefined);
    // Who never looks at a run must not bring the process down with its failure.
    for (const promise of [submitted, done]) promise.catch(() => {});
    const outputs = plan.outputs.map((value) => buffers[value] as DeviceBuffer);
    if (!call.profile) return { submitted, done, outputs };
    const busy = times.then((steps) => steps.reduce((sum, time) => sum + time, 0));
    busy.catch(() => {});
    return { submitted, done, outputs, busy, stepTimes: times };
  }

  async dispose(): Promise<void> {
    this.#isDisposed = true;
    await this.#turns.over();
    await Promise.allSettled(this.#underWay);
    for (const buffer of [...this.#live]) buffer.discard();
    for (const executable of this.#executables) executable.destroy();
    this.#executables.clear();
    this.#readback.clear();
    this.#arena.clear();
    this.#pool.clear();
    if (this.#isOwn) this.#device.destroy();
  }

  /** Hands a run to the device. Errors are known later, step times when the work is done. */
  #submit(
    executable: WebgpuExecutable,
    call: Call,
    bound: readonly (GPUBuffer | undefined)[],
  ): Handed | Promise<Handed> {
    const places = this.#arena.reserve(executable.layout);
    const { ofValue, ofScratch } = executable.layout;
    const memories: Memories = [
      ...ofValue.map((place, value) => bound[value] ?? (places[place as number] as GPUBuffer)),
      ...ofScratch.map((place) => places[place] as GPUBuffer),
    ];
    const close = watchErrors(this.#device);
    let result: StepTimes | Promise<StepTimes>;
    try {
      result = submitPlan(executable, call, {
        device: this.#device,
        readback: this.#readback,
        memories,
        kernelsSubmitted: (count) => {
          this.#kernelsRun += count;
        },
      });
    } catch (error) {
      void close();
      throw error;
    }
    if (!(result instanceof Promise)) return { stepTimes: result, errors: close() };
    return result.then(
      (stepTimes) => ({ stepTimes, errors: close() }),
      async (error: unknown) => {
        throw (await this.#trouble.of(await close())) ?? error;
      },
    );
  }

  #watch<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const over = (): void => void this.#underWay.delete(work);
    work.then(over, over);
    return work;
  }

  #print(plan: Plan): (PrintedKernel | undefined)[] {
    return plan.steps.map(({ kernel }) => {
      if (kernel.kind === 'host') return undefined;
      let printed = this.#printed.get(kernel);
      if (!printed) {
        printed = printKernel(kernel, this.#traits);
        this.#printed.set(kernel, printed);
      }
      return printed;
    });
  }

  async #tune(): Promise<void> {
    const speeds = await tileSpeeds(this.#device, this.device, this.#traits);
    if (!this.#isUntuned) return;
    this.#isUntuned = false;
    this.#traits = { ...this.#traits, tileSpeeds: speeds };
    this.#printed = new WeakMap();
  }

  #checkAlive(): void {
    if (this.#isDisposed) throw new Error('webgpu backend: used after dispose. Create another');
    this.#trouble.check();
  }

  #checkRoom({ layout }: WebgpuExecutable): void {
    const more = this.#arena.missing(layout);
    const { memoryBytes, maxBufferBytes } = this.capabilities;
    const largest = Math.max(0, ...layout.places);
    if (largest > maxBufferBytes) {
      throw new Error(
        `webgpu backend: a temporary takes ${showBytes(largest)}, this device binds ${showBytes(maxBufferBytes)} at most (maxStorageBufferBindingSize, maxBufferSize). Use smaller batches`,
      );
    }
    if (this.#bufferBytes + this.#arena.bytes + more <= memoryBytes) return;
    throw new Error(
      `webgpu backend: scratch of a plan needs ${showBytes(more)} more, the limit is ${showBytes(memoryBytes)}: ${this.#live.size} buffers hold ${showBytes(this.#bufferBytes)}, scratch ${showBytes(this.#arena.bytes)}. Use smaller batches, dispose results, or raise memoryBytes`,
    );
  }
}

interface Handed {
  readonly stepTimes: StepTimes;
  readonly errors: Promise<DeviceError | undefined>;
}
