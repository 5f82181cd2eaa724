import { type GpuKernel, modeOf } from './library.ts';
import type { OpenedMode } from './modes.ts';
import type { Launch } from './source/launch.ts';
import { type Kept, Pool } from './storage/pool.ts';
import { ProcessorStorage } from './storage/processor.ts';
import type { DeviceArray } from './storage/storage.ts';

/** Above any loop of a kernel: gpu.js ends loops there without a word. */
const LOOPS = 2 ** 30;

/** What is kept for later of a card's memory: 256 MiB. */
const KEPT: Kept = { arrays: 4096, floats: 2 ** 26 };

/** On the processor each result is an array of its own. */
const NOTHING: Kept = { arrays: 0, floats: 0 };

/** A compiled kernel and how many executables have it. */
interface Compiled {
  /**
   * By which of its scalars are -0 (gpu.js hands on a changed scalar alone, and takes -0 and 0 for the same) and by how its
   * arrays are laid out.
   */
  readonly kernels: Map<string, GpuKernel>;
  users: number;
}

/** gpu.js as arrays of floats that come and go, and kernels that make one of others. Counts all that is alive. */
export class Device {
  readonly #opened: OpenedMode;
  readonly #pool: Pool;
  readonly #kernels = new Map<string, Compiled>();
  kernelsRun = 0;

  constructor(opened: OpenedMode) {
    this.#opened = opened;
    this.#pool = new Pool(opened.storage, opened.storage instanceof ProcessorStorage ? NOTHING : KEPT);
  }

  get kernels(): number {
    return this.#kernels.size;
  }

  /** Arrays in use, and arrays that are kept for later. */
  get arrays(): { readonly live: number; readonly idle: number } {
    return this.#pool;
  }

  /** Takes `values` over. */
  upload(values: Float32Array): DeviceArray {
    const array = this.#pool.take(values.length, 'plain');
    this.#opened.storage.write(array, values);
    return array;
  }

  /** A copy. */
  download(array: DeviceArray): Promise<Float32Array> {
    return this.#opened.storage.read(array);
  }

  release(array: DeviceArray): void {
    this.#pool.give(array);
  }

  /** WebGPU's launches are only submitted when they return; all others are done, or wait in order for whoever reads. */
  finished(): Promise<void> {
    return this.#opened.storage.finished();
  }

  /** What the device says, later, of arrays that were made since this was last asked. */
  creationErrors(): readonly Promise<string | undefined>[] {
    return this.#opened.storage.creationErrors();
  }

  /** Watches what the device is given from now on. What it returns tells, later, what went wrong. */
  watch(): () => Promise<string | undefined> {
    return this.#opened.storage.watch();
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
    for (const kernel of known.kernels.values()) this.#opened.storage.discard(kernel);
    this.#kernels.delete(key);
  }

  async launch(
    key: string,
    launch: Launch,
    arrays: readonly DeviceArray[],
    scalars: readonly number[],
  ): Promise<DeviceArray> {
    const { library, mode, storage } = this.#opened;
    const { kernels } = this.#kernels.get(key) as Compiled;
    let variant = '';
    for (const value of scalars) variant += Object.is(value, -0) ? '-' : '+';
    for (const { form } of arrays) variant += form;
    let kernel = kernels.get(variant);
    if (!kernel) {
      kernel = this.#create(launch, arrays);
      kernels.set(variant, kernel);
    }
    const target = this.#pool.take(launch.length, launch.isPacked ? 'packed' : 'plain');
    try {
      const running = storage.run(kernel, [...arrays.map(({ argument }) => argument), ...scalars], target);
      if (running) await running;
    } catch (error) {
      this.#pool.give(target);
      // It may be half made.
      kernels.delete(variant);
      storage.discard(kernel);
      throw error;
    }
    const ran = modeOf(library, kernel.kernel.constructor);
    if (ran === mode) return target;
    this.#pool.give(target);
    const { fallbackReason } = kernel.kernel;
    throw new Error(`gpu.js ran it as ${ran} instead of ${mode}: ${fallbackReason ?? 'no reason given'}`);
  }

  #create({ source, functions, length, isPacked }: Launch, arrays: readonly DeviceArray[]): GpuKernel {
    const types: Record<string, string> = {};
    const names = source.slice(source.indexOf('(') + 1, source.indexOf(')')).split(', ');
    names.forEach((name, i) => {
      if (name !== '') types[name] = arrays[i]?.type ?? 'Float';
    });
    return this.#opened.gpu.createKernel(source, {
      precision: 'single',
      pipeline: true,
      immutable: false,
      loopMaxIterations: LOOPS,
      output: [isPacked ? length / 4 : length],
      functions,
      argumentTypes: types,
    });
  }

  /** Ends all; `last` ends the device that all backends of this mode share. */
  async destroy(last: boolean): Promise<void> {
    const { gpu, storage } = this.#opened;
    for (const { kernels } of this.#kernels.values()) for (const kernel of kernels.values()) storage.discard(kernel);
    this.#kernels.clear();
    this.#pool.clear();
    await gpu.destroy();
    if (last) storage.destroyDevice();
  }
}
