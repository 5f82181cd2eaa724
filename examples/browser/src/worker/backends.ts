import { wasm } from '@evenkeel/backend-wasm';
import { type Backend, createJsBackend, setBackend, setDevelopmentMode } from '@evenkeel/tensor';
import { type BackendName, backendLabels, type Computes, type Missing } from '../protocol/backend.ts';

interface Opened {
  readonly backend: Backend;
  readonly text: string;
}

const openers: Readonly<Record<BackendName, () => Promise<Opened> | Opened>> = {
  wasm() {
    const backend = wasm();
    const { threads } = backend.capabilities;
    return { backend, text: `${backendLabels.wasm}, ${threads === 1 ? 'one thread' : `${threads} threads`}` };
  },
  async webgpu() {
    const { webgpu } = await import('@evenkeel/backend-webgpu');
    const backend = await webgpu();
    return { backend, text: `${backendLabels.webgpu}, ${backend.device}` };
  },
  async webgl2() {
    const { gpujs } = await import('@evenkeel/backend-gpujs');
    const backend = await gpujs({ mode: 'webgl2', fallback: false });
    return { backend, text: backend.describe() };
  },
  js: () => ({ backend: createJsBackend(), text: backendLabels.js }),
};

/** What is tried in turn where a backend cannot be opened. */
const fallbacks: readonly BackendName[] = ['wasm', 'js'];

/** The backend that this worker computes on, one at a time. */
export class WorkerBackend {
  #current: (Opened & { readonly computes: Computes }) | undefined;
  /** What was asked for, which `#current` stands for. */
  #wanted: BackendName | undefined;

  /** Makes a backend the current one, or another where that cannot be had. Tensors of an earlier one are no longer of use. */
  async use(wanted: BackendName): Promise<Computes> {
    if (this.#current !== undefined && this.#wanted === wanted) return this.#current.computes;
    await this.close();
    setDevelopmentMode(false); // its warnings name lines of code, which a bundle has not
    const failures: string[] = [];
    for (const name of new Set([wanted, ...fallbacks])) {
      try {
        const opened = await openers[name]();
        setBackend(opened.backend);
        const note = failures.length === 0 ? {} : { note: failures.join('; ') };
        this.#current = { ...opened, computes: { backend: name, text: opened.text, ...note } };
        this.#wanted = wanted;
        return this.#current.computes;
      } catch (error) {
        failures.push(`${backendLabels[name]} could not start: ${error instanceof Error ? error.message : error}`);
      }
    }
    throw new Error(failures.join('; '));
  }

  /** Lets go of the backend, so that the next run starts afresh: after a device was lost, for instance. */
  async close(): Promise<void> {
    const last = this.#current;
    this.#current = undefined;
    await last?.backend.dispose().catch(() => {});
  }
}

/** Backends that cannot be had here, found out without starting them. */
export async function missingBackends(): Promise<Missing> {
  const missing: Missing = {};
  const { gpu } = navigator as Navigator & { gpu?: { requestAdapter(): Promise<unknown> } };
  if (!isSecureContext) missing.webgpu = 'needs a page from localhost or by https';
  else if (gpu === undefined) missing.webgpu = 'this browser has none';
  else if (!(await gpu.requestAdapter().catch(() => null))) missing.webgpu = 'no graphics device was found';
  if (!hasWebgl2()) missing.webgl2 = 'this browser has no WebGL 2 for workers';
  if (typeof WebAssembly !== 'object') missing.wasm = 'this browser has none';
  return missing;
}

function hasWebgl2(): boolean {
  return typeof OffscreenCanvas === 'function' && new OffscreenCanvas(1, 1).getContext('webgl2') !== null;
}
