import { type GpujsMode, modes } from './options.ts';

/** What is used of gpu.js, by the names that it has there. */
export interface GpuLibrary extends Readonly<Record<KernelName, unknown>> {
  readonly GPU: new (settings: { mode: string }) => Gpu;
}

type KernelName =
  | 'WebGPUKernel'
  | 'WebGL2Kernel'
  | 'WebGLKernel'
  | 'HeadlessGLKernel'
  | 'WebAssemblyKernel'
  | 'CPUKernel';

/** The classes that run kernels: `gpu.mode` only repeats what was asked for. */
const kernelNames: Readonly<Record<GpujsMode, KernelName>> = {
  webgpu: 'WebGPUKernel',
  webgl2: 'WebGL2Kernel',
  webgl: 'WebGLKernel',
  headlessgl: 'HeadlessGLKernel',
  webasm: 'WebAssemblyKernel',
  cpu: 'CPUKernel',
};

/** The mode that a class of kernels is. */
export function modeOf(library: GpuLibrary, kernelClass: unknown): GpujsMode | undefined {
  return modes.find((mode) => library[kernelNames[mode]] === kernelClass);
}

/** Whether gpu.js finds what a mode needs; of WebGPU it sees too little to tell. */
export function isSupported(library: GpuLibrary, mode: GpujsMode): boolean {
  return (library[kernelNames[mode]] as { readonly isSupported: boolean }).isSupported;
}

export interface Gpu {
  /** The class that runs kernels. */
  readonly Kernel: unknown;
  createKernel(source: string, settings: KernelSettings): GpuKernel;
  destroy(): Promise<void> | void;
}

export interface KernelSettings {
  readonly output: readonly number[];
  readonly precision: 'single';
  readonly pipeline: boolean;
  readonly immutable: boolean;
  readonly loopMaxIterations: number;
  readonly functions?: readonly object[];
  readonly argumentTypes?: Readonly<Record<string, string>>;
}

export interface GpuKernel {
  (...values: readonly unknown[]): unknown;
  destroy(): void;
  readonly kernel: KernelInternals;
}

/** What is used of gpu.js's inner workings, as they are in version 2.24.1. */
export interface KernelInternals {
  readonly constructor: unknown;
  readonly fallbackReason?: string | null;
  /** The WebGL context; of WebGPU, the device and what became of it. */
  readonly context: unknown;
  /** WebAssembly: makes arrays of the results in its memory. */
  _shapeOutput?: (values: Float32Array) => unknown;
}

/** Of a WebGPU kernel. */
export interface WebgpuInternals {
  /** Where results go; the kernel makes a buffer where there is none. */
  outputBuffer: unknown;
  /** Whether arrays are others than at the last run. */
  bindGroupDirty: boolean;
}

/** Of a WebGL kernel. */
export interface GlInternals {
  /** Where results go; the kernel makes a texture where there is none. */
  texture: unknown;
  /** Whether it is another than at the last run. */
  _textureSwitched: boolean;
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
