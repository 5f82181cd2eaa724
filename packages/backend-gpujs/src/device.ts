import { type DeviceHandle, type GpuKernel, type Handle, modeOf, type SharedDevice } from './library.ts';
import type { OpenedMode } from './modes.ts';
import type { Launch } from './source/launch.ts';

/** Above any loop of a kernel: gpu.js ends loops there without a word. */
const LOOPS = 2 ** 30;

/** Lengths of arrays that are sent without compiling. */
const MOST_UPLOADS = 64;

const settings = { precision: 'single', pipeline: true, immutable: true, loopMaxIterations: LOOPS } as const;

/** A compiled kernel and how many executables have it. */
interface Compiled {
  /** By which of its scalars are -0: gpu.js hands on a changed scalar alone, and takes -0 and 0 for the same. */
  readonly kernels: Map<string, GpuKernel>;
  users: number;
}

/** gpu.js as arrays of floats that come and go, and kernels that make one of others. Counts all that is alive. */
export class Device {
  readonly #opened: OpenedMode;
  readonly #kernels = new Map<string, Compiled>();
  /** By length: one that takes any keeps, in WebGL, drawing as many elements as at first. */
  readonly #uploads = new Map<number, GpuKernel>();
  #shared: SharedDevice | undefined;
  handles = 0;
  kernelsRun = 0;

  constructor(opened: OpenedMode) {
    this.#opened = opened;
  }

  get kernels(): number {
    return this.#kernels.size;
  }

  /** Takes `values` over. */
  async upload(values: Float32Array): Promise<Handle> {
    const { gpu, library, mode } = this.#opened;
    this.handles++;
    if (mode === 'webasm' || mode === 'cpu') return values;
    const size = [values.length];
    let kernel = this.#uploads.get(values.length);
    // The last used comes last.
    if (kernel) this.#uploads.delete(values.length);
    kernel ??= gpu.createKernel('function kernel(a0) { return a0[this.thread.x]; }', {
      ...settings,
      output: size,
      argumentTypes: { a0: 'Input' },
    });
    this.#uploads.set(values.length, kernel);
    for (const [length, oldest] of this.#uploads) {
      if (this.#uploads.size <= MOST_UPLOADS) break;
      oldest.destroy();
      this.#uploads.delete(length);
    }
    return kernel(library.input(values, size));
  }

  /** WebGPU's launches are only submitted when they return; all others are done, or wait in order for whoever reads. */
  async finished(): Promise<void> {
    if (this.#opened.mode === 'webgpu') await this.#shared?.queue.onSubmittedWorkDone();
  }

  async download(handle: Handle): Promise<Float32Array> {
    return handle instanceof Float32Array ? handle : handle.toArray();
  }

  release(handle: Handle): void {
    this.handles--;
    if (!(handle instanceof Float32Array)) handle.delete();
  }

  /** Notes that an executable will run a launch; kernels are made at their first run, when gpu.js sees what they get. */
  retain(key: string): void {
    const known = this.#kernels.get(key);
    if (known) known.users++;
    else this.#kernels.set(key, { kernels: new Map(), users: 1 });
  }

  forget(key: string): void {
    const known = this.#kernels.get(key) as Compiled;
    if (--known.users > 0) return;
    for (const kernel of known.kernels.values()) kernel.destroy();
    this.#kernels.delete(key);
  }

  async launch(key: string, launch: Launch, arrays: readonly Handle[], scalars: readonly number[]): Promise<Handle> {
    const compiled = this.#kernels.get(key) as Compiled;
    const zeros = scalars.map((value) => (Object.is(value, -0) ? '-' : '+')).join('');
    const kernel = compiled.kernels.get(zeros) ?? this.#create(launch, arrays);
    compiled.kernels.set(zeros, kernel);
    const handle = await kernel(...arrays, ...scalars);
    const { library, mode } = this.#opened;
    const { fallbackReason } = kernel.kernel;
    const ran = modeOf(library, kernel.kernel.constructor);
    if (ran !== mode)
      throw new Error(`gpu.js ran it as ${ran} instead of ${mode}: ${fallbackReason ?? 'no reason given'}`);
    this.handles++;
    if (!(handle instanceof Float32Array)) this.#shared ??= handle.context?.device;
    return handle;
  }

  #create({ source, functions, length }: Launch, arrays: readonly Handle[]): GpuKernel {
    const types: Record<string, string> = {};
    const names = source.slice(source.indexOf('(') + 1, source.indexOf(')')).split(', ');
    names.forEach((name, i) => {
      if (name === '') return;
      const array = arrays[i];
      types[name] = array === undefined ? 'Float' : array instanceof Float32Array ? 'Array' : array.type;
    });
    return this.#opened.gpu.createKernel(source, { ...settings, output: [length], functions, argumentTypes: types });
  }

  /** Ends all; `last` ends the device that all backends of this mode share. */
  async destroy(last: boolean): Promise<void> {
    for (const { kernels } of this.#kernels.values()) for (const kernel of kernels.values()) kernel.destroy();
    this.#kernels.clear();
    const shared = last && this.#opened.mode === 'webgpu' ? await this.upload(new Float32Array(1)) : undefined;
    for (const kernel of this.#uploads.values()) kernel.destroy();
    await this.#opened.gpu.destroy();
    const device = (shared as DeviceHandle | undefined)?.context?.device;
    if (shared) this.release(shared);
    device?.destroy();
  }
}
