import {
  type Backend,
  type Call,
  type Capabilities,
  createJsBackend,
  type DeviceBuffer,
  type DType,
  type Executable,
  type HostArray,
  hostArray,
  type Run,
} from '@evenkeel/tensor';
import { bindInputs, bindOutputs, type Kernel, type Plan, showBytes } from '@evenkeel/tensor/kernel';
import { type BufferHome, GpujsBuffer } from './buffer.ts';
import { Device } from './device.ts';
import { GpujsExecutable } from './executable.ts';
import { messageOf } from './library.ts';
import { type OpenedMode, openMode } from './modes.ts';
import { checkOptions, type GpujsMode, type GpujsOptions } from './options.ts';
import { PlanRun } from './run-plan.ts';
import type { Launch } from './source/launch.ts';
import { printKernel } from './source/print-kernel.ts';
import { type Traits, traitsOf } from './source/traits.ts';
import type { Limit } from './storage/storage.ts';
import { floatsPerElement, fromFloats, toFloats } from './stored-values.ts';

/** What a backend has done and holds, for tests and reports. */
export interface GpujsStatistics {
  readonly liveBuffers: number;
  /** Arrays on the device that are in use, those of buffers among them. */
  readonly handles: number;
  /** Arrays on the device that wait to be used again. */
  readonly pooled: number;
  /** Kernels of plans that the device has run; host steps do not count. */
  readonly kernelsRun: number;
  /** Compiled gpu.js kernels. */
  readonly compiled: number;
}

/** A backend on gpu.js, or what it fell back to. */
export interface GpujsBackend extends Backend {
  /** The mode that was seen to run; none where another backend computes instead. */
  readonly mode: GpujsMode | undefined;
  readonly statistics: GpujsStatistics | undefined;
  /** What computes, for people: `gpu.js webgl2`. */
  describe(): string;
}

/**
 * A backend that writes gpu.js kernels: on graphics cards by WebGPU or WebGL. Where none works, another backend computes
 * instead, and one line says so. What float32 cannot do exactly (random bits, whole numbers) runs on the host, and `explain`
 * lists it.
 *
 * @throws for options out of range; with `fallback: false` also where no mode works, with the reasons.
 * @example
 * const backend = await gpujs({ mode: 'webasm' });
 * backend.describe(); // 'gpu.js webasm'
 * await withBackend(backend, () => tensor([1, 2, 3]).square().sum().item()); // 14
 */
export async function gpujs(options: GpujsOptions = {}): Promise<GpujsBackend> {
  checkOptions(options);
  const { mode, fallback, warn = (line: string) => console.warn(line) } = options;
  let opened: OpenedMode;
  try {
    opened = await openMode(mode);
  } catch (error) {
    const trouble = `gpujs: no mode of gpu.js works here (${messageOf(error)})`;
    if (fallback === false)
      throw new Error(`${trouble}. Leave out fallback: false to compute elsewhere`, { cause: error });
    const other = fallback ?? createJsBackend();
    warn(`${trouble}; the ${other.name} backend computes instead`);
    return standIn(other);
  }
  return new PlanRunner(opened);
}

/** `other`, that says what it stands for. */
function standIn(other: Backend): GpujsBackend {
  const described = {
    mode: undefined,
    statistics: undefined,
    describe: () => `${other.name}, as gpu.js does not run here`,
  };
  return new Proxy(other, {
    get(target, key) {
      if (key in described) return described[key as 'mode'];
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  }) as GpujsBackend;
}

/** Of a buffer: indices are floats. */
const EXACT_INDICES: Limit = { length: 2 ** 24, what: '2^24 numbers, up to which gpu.js counts exactly' };

/** gpu.js does not tell what a card has. */
const MEMORY_BYTES = 4 * 2 ** 30;

/** Backends that share gpu.js's one WebGPU device. */
let sharing = 0;

class PlanRunner implements GpujsBackend, BufferHome {
  readonly name = 'gpujs';
  readonly mode: GpujsMode;
  readonly numerics: string;
  readonly capabilities: Capabilities;
  readonly #device: Device;
  readonly #traits: Traits;
  readonly #limit: Limit;
  readonly #printed = new WeakMap<Kernel, readonly Launch[] | string>();
  readonly #executables = new Set<GpujsExecutable>();
  readonly #live = new Set<GpujsBuffer>();
  #queue: Promise<unknown> = Promise.resolve();
  #isDisposed = false;

  constructor(opened: OpenedMode) {
    this.mode = opened.mode;
    this.numerics = this.describe();
    this.#device = new Device(opened);
    this.#traits = traitsOf(opened.mode);
    const { limit } = opened.storage;
    this.#limit = limit.length < EXACT_INDICES.length ? limit : EXACT_INDICES;
    if (opened.mode === 'webgpu') sharing++;
    this.capabilities = {
      dtypes: ['float32', 'float16', 'int32', 'uint32', 'bool'],
      layouts: {},
      buffersPerKernel: this.#traits.mostArrays + 1,
      maxBufferBytes: 4 * this.#limit.length,
      memoryBytes: MEMORY_BYTES,
      elementBytes: { bool: 4, float16: 4, int32: 8, uint32: 8 },
      threads: 1,
      inPlace: true,
    };
  }

  describe(): string {
    return `gpu.js ${this.mode}`;
  }

  get statistics(): GpujsStatistics {
    const { arrays, kernelsRun, kernels } = this.#device;
    return { liveBuffers: this.#live.size, handles: arrays.live, pooled: arrays.idle, kernelsRun, compiled: kernels };
  }

  supports(kernel: Kernel): true | string {
    if (kernel.kind === 'host') return true;
    const printed = this.#print(kernel);
    return typeof printed === 'string' ? printed : true;
  }

  allocate({ dtype, length }: { dtype: DType; length: number }): GpujsBuffer {
    this.#checkAlive();
    const floats = floatsPerElement(dtype) * length;
    if (floats > this.#limit.length) {
      throw new Error(
        `gpujs backend: a buffer of ${length} x ${dtype} (${showBytes(4 * floats)}) is above the limit of ${this.#limit.what}. Use smaller batches, or another backend`,
      );
    }
    const buffer = new GpujsBuffer(dtype, length, this);
    this.#live.add(buffer);
    return buffer;
  }

  freed(buffer: GpujsBuffer): void {
    this.#live.delete(buffer);
    // Reads that were given before still happen.
    void this.#inOrder(async () => this.#release(buffer));
  }

  async writeBuffer(target: GpujsBuffer, values: HostArray): Promise<void> {
    this.#checkAlive();
    await this.#inOrder(async () => {
      this.#release(target);
      target.handle = await this.#device.upload(toFloats(target.dtype, values));
    });
  }

  async readBuffer(source: GpujsBuffer): Promise<HostArray> {
    this.#checkAlive();
    return this.#inOrder(async () => {
      const { dtype, length, handle } = source;
      if (!handle) return hostArray(dtype, length);
      return fromFloats(dtype, await this.#device.download(handle), length);
    });
  }

  async compile(plan: Plan): Promise<Executable> {
    this.#checkAlive();
    const printed = plan.steps.map(({ kernel }) => {
      if (kernel.kind === 'host') return [];
      const launches = this.#print(kernel);
      if (typeof launches === 'string') throw new Error(`gpujs backend: ${launches}`);
      return launches;
    });
    const executable = new GpujsExecutable(plan, printed, (released) => {
      // Runs that were given before still need its kernels.
      void this.#inOrder(async () => {
        if (!this.#executables.delete(released)) return;
        for (const { key } of released.launches.flat()) this.#device.forget(key);
      });
    });
    executable.retain(this.#device);
    this.#executables.add(executable);
    return executable;
  }

  run(executable: Executable, call: Call): Run {
    this.#checkAlive();
    if (!(executable instanceof GpujsExecutable)) {
      throw new Error('gpujs backend: run of an executable of another backend');
    }
    if (executable.isDisposed) throw new Error('gpujs backend: run of a disposed executable. Compile the plan again');
    const { plan } = executable;
    const buffers = bindInputs(plan, call, {
      name: this.name,
      isOwn: (buffer): buffer is GpujsBuffer => buffer instanceof GpujsBuffer && buffer.home === this,
    });
    bindOutputs(plan, buffers, (value) => this.allocate(value));
    for (const buffer of buffers) buffer?.check('run');
    // Callers may reuse their argument array.
    const settled = { ...call, arguments: call.arguments.slice() };
    const ran = this.#inOrder(() => new PlanRun(this.#device, executable, settled, buffers).run());
    const submitted = ran.then(() => undefined);
    const stepTimes = ran.then(({ times }) => times);
    const done = ran.then(async ({ trouble }) => {
      const told = await trouble;
      if (told !== undefined) throw new Error(told);
      await this.#device.finished();
    });
    // Who never looks at a run must not bring the process down with its failure.
    for (const promise of [stepTimes, submitted, done]) promise.catch(() => {});
    const outputs = plan.outputs.map((value) => buffers[value] as DeviceBuffer);
    return { submitted, done, outputs, ...(call.profile ? { stepTimes } : {}) };
  }

  async dispose(): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    await this.#queue;
    // A lost device has nothing to wait for.
    await this.#device.finished().catch(() => {});
    for (const buffer of [...this.#live]) buffer.discard();
    await this.#queue;
    this.#executables.clear();
    const isLast = this.mode === 'webgpu' && --sharing === 0;
    await this.#device.destroy(isLast);
  }

  #release(buffer: GpujsBuffer): void {
    if (buffer.handle) this.#device.release(buffer.handle);
    buffer.handle = undefined;
  }

  /** Runs `work` after everything given before. */
  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #print(kernel: Exclude<Kernel, { kind: 'host' }>): readonly Launch[] | string {
    let printed = this.#printed.get(kernel);
    if (printed === undefined) {
      printed = printKernel(kernel, this.#traits);
      this.#printed.set(kernel, printed);
    }
    return printed;
  }

  #checkAlive(): void {
    if (this.#isDisposed) throw new Error('gpujs backend: it is disposed. Make a new one by gpujs()');
  }
}
