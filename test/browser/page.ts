import { type GpujsMode, gpujs } from '@evenkeel/backend-gpujs';
import { type WasmOptions, wasm } from '@evenkeel/backend-wasm';
import { webgpu } from '@evenkeel/backend-webgpu';
import { type Backend, tensor, withBackend } from '@evenkeel/tensor';
import { backendConformance, type ConformanceCase } from '@evenkeel/tensor/testing';
import { failWebgl2, type WebglFailures } from '../../packages/backend-gpujs/test/webgl-failures.ts';
import { type Held, hostSteps, trainHolding } from '../../packages/edm2/test/gpujs-training.ts';
import { type Trained, type TrainingNetwork, train } from '../../packages/edm2/test/training-run.ts';

/** A backend by name: programs for pages take no functions. */
export type BackendChoice =
  | { readonly name: 'wasm'; readonly options?: WasmOptions }
  | { readonly name: 'webgpu' }
  | { readonly name: 'gpujs'; readonly mode?: GpujsMode };

/** What tests ask of the page. */
export interface ConformancePage {
  /** Makes the backend that is checked, and tells what it says of itself and whether the page is cross-origin isolated. */
  start(choice: BackendChoice, numRuns: number): Promise<{ described: string; isIsolated: boolean }>;
  /** Runs one check; gives what went wrong. */
  check(name: string): Promise<string | undefined>;
  /** Multiplies on a backend of its own; gives what that says of itself, and the product. */
  multiply(choice: BackendChoice): Promise<{ described: string; values: number[] }>;
  /** Trains on a backend of its own. */
  train(choice: BackendChoice, network: TrainingNetwork): Promise<Trained>;
  /** What of a training step gpu.js leaves to the host. */
  hostSteps(mode: GpujsMode): Promise<{ steps: number; onHost: string[] }>;
  /** What gpu.js holds at some steps of a training. */
  trainHolding(mode: GpujsMode, at: readonly number[]): Promise<{ held: Held[]; losses: number[] }>;
  failWebgl2(): Promise<WebglFailures>;
}

interface Opened {
  readonly backend: Backend;
  readonly described: string;
  /** Absent where nothing is counted. */
  readonly executedKernels?: () => number;
}

async function open(choice: BackendChoice): Promise<Opened> {
  if (choice.name === 'wasm') {
    const backend = wasm(choice.options);
    return { backend, described: `${backend.capabilities.threads} threads` };
  }
  if (choice.name === 'webgpu') {
    const backend = await webgpu();
    return { backend, described: backend.device, executedKernels: () => backend.statistics.kernelsRun };
  }
  const { mode } = choice;
  const backend = await gpujs({ fallback: false, ...(mode === undefined ? {} : { mode }) });
  const executedKernels = () => backend.statistics?.kernelsRun ?? 0;
  return { backend, described: backend.describe(), executedKernels };
}

let checks: readonly ConformanceCase[] = [];

const page: ConformancePage = {
  async start(choice, numRuns) {
    const { backend, described, executedKernels } = await open(choice);
    const counted = executedKernels && { executedKernels, flushesSubnormals: true };
    checks = backendConformance(() => backend, { numRuns, ...counted });
    return { described, isIsolated: globalThis.crossOriginIsolated };
  },
  async check(name) {
    try {
      await checks.find((check) => check.name === name)?.run();
      return undefined;
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  },
  async multiply(choice) {
    const { backend, described } = await open(choice);
    const values = await withBackend(backend, async () => {
      const x = tensor(Float32Array.from({ length: 12 }, (_, i) => i)).reshape([3, 4]);
      const sums = x.sum(1, { keepAxes: true });
      return x.matmul(x.transpose()).sub(sums).data();
    });
    await backend.dispose();
    return { described, values: [...values] };
  },
  async train(choice, network) {
    const { backend } = await open(choice);
    const trained = await train(backend, network);
    await backend.dispose();
    return trained;
  },
  async hostSteps(mode) {
    const backend = await gpujs({ mode, fallback: false });
    const found = await hostSteps(backend);
    await backend.dispose();
    return found;
  },
  async trainHolding(mode, at) {
    const backend = await gpujs({ mode, fallback: false });
    const trained = await trainHolding(backend, at);
    await backend.dispose();
    return trained;
  },
  failWebgl2,
};
Object.assign(globalThis, { conformancePage: page });
