import { type WasmOptions, wasm } from '@evenkeel/backend-wasm';
import type { Plan } from '@evenkeel/tensor/kernel';
import { backendConformance, type ConformanceCase } from '@evenkeel/tensor/testing';
import { chain, inPlaces, strided } from '../plans.ts';

/** What a test asks of the page. */
export interface ConformancePage {
  readonly isIsolated: boolean;
  /** Makes a backend and gives the number of threads that it has. */
  start(options: WasmOptions, numRuns: number): Promise<number>;
  /** Runs one check; gives what went wrong. */
  check(name: string): Promise<string | undefined>;
  /** Runs a long plan, then one that traps, then a good one. */
  probe(options: WasmOptions): Promise<Probe>;
}

export interface Probe {
  /** Turns that the page's thread had while the long plan ran. */
  readonly turns: number;
  /** What went wrong with each plan. */
  readonly failures: readonly (string | undefined)[];
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
  async probe(options) {
    const backend = wasm(options);
    const length = 2 ** 18;
    const input = backend.allocate({ dtype: 'float32', length });
    const run = async (plan: Plan): Promise<string | undefined> => {
      const executable = await backend.compile(plan);
      return backend.run(executable, { inputs: [input], arguments: new Float64Array() }).done.then(
        () => undefined,
        (error: unknown) => String(error),
      );
    };
    let [turns, isDone] = [0, false];
    const long = run(inPlaces(chain(length, new Array(1000).fill(strided(length, 1))))).finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      turns++;
    }
    const failures = [
      await long,
      await run(chain(length, [strided(length, 1024)])),
      await run(chain(length, [strided(length, 1)])),
    ];
    await backend.dispose();
    return { turns, failures };
  },
};
Object.assign(globalThis, { conformancePage: page });
