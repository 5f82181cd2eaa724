import type { GpuKernel } from '../library.ts';

/** How a texture holds numbers: one a texel, or four. Elsewhere there is no difference. */
export type Form = 'plain' | 'packed';

/** Floats on the device. */
export interface DeviceArray {
  readonly length: number;
  readonly form: Form;
  /** What gpu.js calls such an argument of a kernel. */
  readonly type: string;
  /** What a kernel is given. */
  readonly argument: unknown;
}

/** Most floats of an array, and what sets the limit, in words that go on `above the limit of`. */
export interface Limit {
  readonly length: number;
  readonly what: string;
}

/** Where a mode of gpu.js keeps numbers, and how its kernels are made to write where they are told. */
export interface Storage {
  readonly limit: Limit;
  /** What it holds is of no account. @throws where there is no memory for it. */
  create(length: number, form: Form): DeviceArray;
  destroy(array: DeviceArray): void;
  /** Takes `values` over. */
  write(array: DeviceArray, values: Float32Array): void;
  /** A copy. */
  read(array: DeviceArray): Promise<Float32Array>;
  /** Runs a kernel, whose results go into `target`; on a card, it is handed over. */
  run(kernel: GpuKernel, given: readonly unknown[], target: DeviceArray): Promise<void> | void;
  /** Destroys a kernel, but not what it wrote to. */
  discard(kernel: GpuKernel): void;
  /** What the device says, later, of arrays that were made since this was last asked. */
  creationErrors(): readonly Promise<string | undefined>[];
  /** Watches what is handed over from now on. What it returns tells, later, what went wrong. */
  watch(): () => Promise<string | undefined>;
  /** Resolves when all that was handed over is done. @throws when the device is lost. */
  finished(): Promise<void>;
  /** Ends the device that all backends of this mode share, where there is one. */
  destroyDevice(): void;
}
