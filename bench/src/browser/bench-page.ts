// An implementation in a page. What steers the browser calls it through `benchPage`.
import { type Implementation, type Input, type Prepared, Unsupported } from '../process/implementation.ts';
import { measure, timeOnDevice, warm } from '../process/timing.ts';
import type { InputFile, Task } from '../work/task.ts';

/** What a page does. */
export interface BenchPage {
  /** Says what it is. */
  start(given: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** Runs once; inputs and results travel over HTTP. */
  prepare(task: Task, inputs: readonly InputFile[]): Promise<PagePreparation>;
  measure(milliseconds: number): Promise<readonly number[]>;
  release(): Promise<void>;
}

export type PagePreparation =
  | { readonly results: number; readonly note?: string; readonly deviceMilliseconds?: number }
  | { readonly unsupported: string };

/** Opens the page to who steers the browser; `start` makes the implementation. */
export function openPage(start: (given: readonly string[]) => Promise<Implementation>): void {
  let implementation: Implementation;
  let prepared: Prepared;
  let batch = 1;
  const page: BenchPage = {
    async start(given) {
      implementation = await start(given);
      return implementation.about;
    },
    async prepare(task, inputs) {
      try {
        prepared = await implementation.prepare(task, await Promise.all(inputs.map(fetchInput)));
      } catch (error) {
        // Its class does not travel.
        if (error instanceof Unsupported) return { unsupported: error.message };
        throw error;
      }
      const started = performance.now();
      await prepared.run(1);
      const first = performance.now() - started;
      const results = await prepared.results();
      for (const [i, values] of results.entries()) {
        await fetch(`/result?index=${i}`, { method: 'POST', body: values as Float32Array<ArrayBuffer> });
      }
      if (prepared.measure === undefined) batch = await warm(prepared, first, implementation.pace);
      const { note } = prepared;
      const deviceMilliseconds = await timeOnDevice(prepared, batch, implementation.pace);
      return {
        results: results.length,
        ...(note === undefined ? {} : { note }),
        ...(deviceMilliseconds === undefined ? {} : { deviceMilliseconds }),
      };
    },
    measure: async (milliseconds) =>
      (await prepared.measure?.(milliseconds)) ?? (await measure(prepared, batch, milliseconds, implementation.pace)),
    release: async () => prepared.dispose(),
  };
  Object.assign(globalThis, { benchPage: page });
}

async function fetchInput({ name, shape, file }: InputFile): Promise<Input> {
  const response = await fetch(`/input?file=${encodeURIComponent(file)}`);
  return { name, shape, values: new Float32Array(await response.arrayBuffer()) };
}
