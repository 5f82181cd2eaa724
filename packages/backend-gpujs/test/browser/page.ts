import { type GpujsBackend, type GpujsMode, gpujs } from '@evenkeel/backend-gpujs';
import { tensor, withBackend } from '@evenkeel/tensor';
import { backendConformance, type ConformanceCase } from '@evenkeel/tensor/testing';

/** What a test asks of the page. */
export interface ConformancePage {
  /** Makes a backend and gives what it says of itself. */
  start(mode: GpujsMode, numRuns: number): Promise<string>;
  /** Runs one check; gives what went wrong. */
  check(name: string): Promise<string | undefined>;
  /** Computes something in a mode, and gives the backend's words and the result. */
  smoke(mode: GpujsMode | undefined): Promise<{ described: string; values: number[] }>;
}

let checks: readonly ConformanceCase[] = [];
let backend: GpujsBackend;

const page: ConformancePage = {
  async start(mode, numRuns) {
    backend = await gpujs({ mode, fallback: false });
    const executedKernels = () => backend.statistics?.kernelsRun ?? 0;
    checks = backendConformance(() => backend, { numRuns, flushesSubnormals: true, executedKernels });
    return backend.describe();
  },
  async check(name) {
    try {
      await checks.find((check) => check.name === name)?.run();
      return undefined;
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  },
  async smoke(mode) {
    const made = await gpujs({ fallback: false, ...(mode === undefined ? {} : { mode }) });
    const values = await withBackend(made, async () => {
      const x = tensor(Float32Array.from({ length: 12 }, (_, i) => i)).reshape([3, 4]);
      return x
        .matmul(x.transpose())
        .sub(x.sum(1, { keepAxes: true }))
        .data();
    });
    const described = made.describe();
    await made.dispose();
    return { described, values: [...values] };
  },
};
Object.assign(globalThis, { conformancePage: page });
