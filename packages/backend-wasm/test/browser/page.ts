import { type WasmOptions, wasm } from '@evenkeel/backend-wasm';
import type { Plan } from '@evenkeel/tensor/kernel';
import { chain, inPlaces, strided } from '../plans.ts';

/** What a test asks of the page. */
export interface ProbePage {
  /** Runs a long plan, then one that traps, then a good one. */
  probe(options: WasmOptions): Promise<Probe>;
}

export interface Probe {
  /** Turns that the page's thread had while the long plan ran. */
  readonly turns: number;
  /** What went wrong with each plan. */
  readonly failures: readonly (string | undefined)[];
}

const page: ProbePage = {
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
