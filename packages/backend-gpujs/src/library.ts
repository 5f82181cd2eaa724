/** What is used of gpu.js, by the names that it has there. */
export interface GpuLibrary {
  readonly GPU: new (settings: { mode: string }) => Gpu;
  readonly input: (values: Float32Array, size: number[]) => unknown;
}

export interface Gpu {
  /** The class that runs kernels: `gpu.mode` only repeats what was asked for. */
  readonly Kernel: { readonly mode: string };
  createKernel(source: string, settings: KernelSettings): GpuKernel;
  destroy(): Promise<void> | void;
}

export interface KernelSettings {
  readonly output: readonly number[];
  readonly precision: 'single';
  readonly pipeline: boolean;
  readonly immutable: boolean;
  readonly dynamicOutput?: boolean;
  readonly dynamicArguments?: boolean;
  readonly loopMaxIterations: number;
  readonly functions?: readonly object[];
  readonly argumentTypes?: Readonly<Record<string, string>>;
}

export interface GpuKernel {
  (...values: readonly unknown[]): Handle | Promise<Handle>;
  setOutput(output: readonly number[]): unknown;
  destroy(): void;
  readonly kernel?: { readonly constructor: { readonly mode?: string }; readonly fallbackReason?: string | null };
}

/** A result on the device; on the processor, the values. */
export type Handle = Float32Array | DeviceHandle;

export interface DeviceHandle {
  readonly type: string;
  toArray(): Float32Array | Promise<Float32Array>;
  delete(): void;
  readonly context?: { readonly device?: { destroy(): void } };
}

/** @throws where the package is not installed, with how to install it. */
export async function loadLibrary(): Promise<GpuLibrary> {
  const loaded = (await import('gpu.js').catch((error: unknown) => {
    throw new Error(`the package gpu.js is missing (npm install gpu.js): ${messageOf(error)}`, { cause: error });
  })) as unknown as GpuLibrary & { readonly default?: GpuLibrary };
  return loaded.default ?? loaded;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
