// Our own implementation in a page. What steers the browser calls it through `benchPage`.
import type { WasmBackend } from '@evenkeel/backend-wasm';
import { prepare } from '../evenkeel/prepare.ts';
import { startBackend } from '../evenkeel/start-backend.ts';
import type { Prepared } from '../process/implementation.ts';
import { measure, warm } from '../process/timing.ts';
import type { InputFile, Task } from '../work/task.ts';

/** What the page does. */
export interface BenchPage {
  start(threads: number): { instructions: string; threads: number };
  /** Runs once; inputs and results travel over HTTP. Gives the number of results. */
  prepare(task: Task, inputs: readonly InputFile[]): Promise<number>;
  measure(milliseconds: number): Promise<readonly number[]>;
  release(): Promise<void>;
}

let launches: ReturnType<typeof startBackend>['launches'];
let backend: WasmBackend;
let prepared: Prepared;
let batch = 1;

const page: BenchPage = {
  start(threads) {
    ({ backend, launches } = startBackend(threads, 'best'));
    return { instructions: backend.instructions, threads: backend.capabilities.threads };
  },
  async prepare(task, inputs) {
    const loaded = await Promise.all(
      inputs.map(async ({ name, shape, file }) => {
        const response = await fetch(`/input?file=${encodeURIComponent(file)}`);
        return { name, shape, values: new Float32Array(await response.arrayBuffer()) };
      }),
    );
    prepared = await prepare(task, loaded, launches);
    const started = performance.now();
    await prepared.run(1);
    const first = performance.now() - started;
    const results = await prepared.results();
    for (const [i, values] of results.entries()) {
      await fetch(`/result?index=${i}`, { method: 'POST', body: values as Float32Array<ArrayBuffer> });
    }
    batch = await warm(prepared, first);
    return results.length;
  },
  measure: (milliseconds) => measure(prepared, batch, milliseconds),
  release: async () => prepared.dispose(),
};
Object.assign(globalThis, { benchPage: page });
