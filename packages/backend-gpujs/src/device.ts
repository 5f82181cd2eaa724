import type { DeviceHandle, GpuKernel, Handle } from './library.ts';
import type { OpenedMode } from './modes.ts';
import type { Launch } from './source/launch.ts';

/** Above any loop of a kernel: gpu.js ends loops there without a word. */
const LOOPS = 2 ** 30;

const settings = { precision: 'single', pipeline: true, immutable: true, loopMaxIterations: LOOPS } as const;

/** A compiled kernel and how many executables have it. */
interface Compiled {
  kernel: GpuKernel | undefined;
  users: number;
}

/** gpu.js as arrays of floats that come and go, and kernels that make one of others. Counts all that is alive. */
export class Device {
  readonly #opened: OpenedMode;
  readonly #kernels = new Map<string, Compiled>();
  #upload: GpuKernel | undefined;
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
    this.#upload ??= gpu.createKernel('function kernel(a0) { return a0[this.thread.x]; }', {
      ...settings,
      output: [values.length],
      dynamicOutput: true,
      dynamicArguments: true,
      argumentTypes: { a0: 'Input' },
    });
    this.#upload.setOutput([values.length]);
    return this.#upload(library.input(values, [values.length]));
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
    else this.#kernels.set(key, { kernel: undefined, users: 1 });
  }

  forget(key: string): void {
    const known = this.#kernels.get(key) as Compiled;
    if (--known.users > 0) return;
    known.kernel?.destroy();
    this.#kernels.delete(key);
  }

  async launch(key: string, launch: Launch, arrays: readonly Handle[], scalars: readonly number[]): Promise<Handle> {
    const compiled = this.#kernels.get(key) as Compiled;
    compiled.kernel ??= this.#create(launch, arrays);
    const handle = await compiled.kernel(...arrays, ...scalars);
    const { mode } = this.#opened;
    const ran = compiled.kernel.kernel?.constructor.mode;
    if (ran !== undefined && ran !== mode) {
      throw new Error(
        `gpu.js ran it as ${ran} instead of ${mode}: ${compiled.kernel.kernel?.fallbackReason ?? 'no reason given'}`,
      );
    }
    this.handles++;
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
    for (const { kernel } of this.#kernels.values()) kernel?.destroy();
    this.#kernels.clear();
    const shared = last && this.#opened.mode === 'webgpu' ? await this.upload(new Float32Array(1)) : undefined;
    this.#upload?.destroy();
    await this.#opened.gpu.destroy();
    (shared as DeviceHandle | undefined)?.context?.device?.destroy();
  }
}
