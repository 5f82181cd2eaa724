import { Bench } from 'tinybench';
import type { Prepared } from './implementation.ts';

/** Milliseconds of runs between two looks at the clock, unless an implementation asks for more. */
export const usualBatch = 4;

/** Runs until compilers have done their work; gives how many runs take `batchMilliseconds`. */
export async function warm(
  prepared: Pick<Prepared, 'run'>,
  firstMilliseconds: number,
  batchMilliseconds = usualBatch,
): Promise<number> {
  if (firstMilliseconds > 3000) return 1;
  const started = performance.now();
  let fastest = firstMilliseconds;
  for (let i = 0; i < 3 || (performance.now() - started < 100 && i < 1000); i++) {
    const before = performance.now();
    await prepared.run(1);
    fastest = Math.min(fastest, performance.now() - before);
    if (performance.now() - started > 3000) break;
  }
  return Math.max(1, Math.min(1000, Math.round(batchMilliseconds / fastest)));
}

/** Milliseconds of a run, from `batch` of them at a time, so that clocks and turns of the event loop weigh little. */
export async function measure(prepared: Pick<Prepared, 'run'>, batch: number, milliseconds: number): Promise<number[]> {
  const bench = new Bench({ time: milliseconds, iterations: 1, throws: true });
  bench.add('run', () => prepared.run(batch));
  await bench.run();
  return (bench.tasks[0]?.result?.samples ?? []).map((sample) => sample / batch);
}
