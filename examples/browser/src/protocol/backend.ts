/** What can compute. */
export type BackendName = 'wasm' | 'webgpu' | 'webgl2' | 'js';

export const backendNames: readonly BackendName[] = ['wasm', 'webgpu', 'webgl2', 'js'];

export const backendLabels: Readonly<Record<BackendName, string>> = {
  wasm: 'WebAssembly',
  webgpu: 'WebGPU',
  webgl2: 'gpu.js, WebGL 2',
  js: 'Plain JavaScript',
};

/** What computes a run. */
export interface Computes {
  readonly backend: BackendName;
  /** With its device or threads: `WebAssembly, 8 threads`. */
  readonly text: string;
  /** Why it is not the one that was asked for. */
  readonly note?: string;
}

/** Why a backend cannot be had here, for each that cannot. */
export type Missing = Partial<Record<BackendName, string>>;
