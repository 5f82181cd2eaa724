import { type WebgpuBackend, webgpu } from '@evenkeel/backend-webgpu';
import { backendConformance, type ConformanceCase } from '@evenkeel/tensor/testing';

/** What a test asks of the page. */
export interface ConformancePage {
  /** Makes a backend and gives its device's names. */
  start(numRuns: number): Promise<string>;
  /** Runs one check; gives what went wrong. */
  check(name: string): Promise<string | undefined>;
}

let checks: readonly ConformanceCase[] = [];
let backend: WebgpuBackend;

const page: ConformancePage = {
  async start(numRuns) {
    backend = await webgpu();
    const executedKernels = () => backend.statistics.kernelsRun;
    checks = backendConformance(() => backend, { numRuns, flushesSubnormals: true, executedKernels });
    return backend.device;
  },
  async check(name) {
    try {
      await checks.find((check) => check.name === name)?.run();
      return undefined;
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  },
};
Object.assign(globalThis, { conformancePage: page });
