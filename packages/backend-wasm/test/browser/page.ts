import { type WasmOptions, wasm } from '@evenkeel/backend-wasm';
import { backendConformance, type ConformanceCase } from '@evenkeel/tensor/testing';

/** What a test asks of the page. */
export interface ConformancePage {
  readonly isIsolated: boolean;
  /** Makes a backend and gives the number of threads that it has. */
  start(options: WasmOptions, numRuns: number): Promise<number>;
  /** Runs one check; gives what went wrong. */
  check(name: string): Promise<string | undefined>;
}

let checks: readonly ConformanceCase[] = [];

const page: ConformancePage = {
  isIsolated: globalThis.crossOriginIsolated,
  async start(options, numRuns) {
    const backend = wasm(options);
    checks = backendConformance(() => backend, { numRuns });
    return backend.capabilities.threads;
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
