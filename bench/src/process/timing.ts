import { Bench } from 'tinybench';
import type { Prepared } from './implementation.ts';

/** How an implementation is measured. */
export interface Pace {
  /** Milliseconds of runs between two looks at the clock. */
  readonly batch: number;
  /** Milliseconds of runs before the first look: who had nothing to do may have slowed its own clock. */
  readonly wake: number;
}

export const processorPace: Pace = { batch: 4, wake: 0 };

/** A graphics card is far away, so that only the end of many runs is waited for; idle, it falls to a sixth of its clock. */
export const cardPace: Pace = { batch: 40, wake: 200 };

/** Runs until compilers have done their work; gives how many runs make a batch. */
export async function warm(
  prepared: Pick<Prepared, 'run'>,
  firstMilliseconds: number,
  { batch }: Pace = processorPace,
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
  return Math.max(1, Math.min(1000, Math.round(batch / fastest)));
}

/** Milliseconds of a run, from `batch` of them at a time, so that clocks and turns of the event loop weigh little. */
export async function measure(
  prepared: Pick<Prepared, 'run'>,
  batch: number,
  milliseconds: number,
  pace: Pace = processorPace,
): Promise<number[]> {
  await wake(prepared, batch, pace);
  const bench = new Bench({ time: milliseconds, iterations: 1, throws: true });
  bench.add('run', () => prepared.run(batch));
  await bench.run();
  return (bench.tasks[0]?.result?.samples ?? []).map((sample) => sample / batch);
}

/** Milliseconds of a run by the device's own clock, where it has one. */
export async function timeOnDevice(prepared: Prepared, batch: number, pace?: Pace): Promise<number | undefined> {
  if (prepared.deviceMilliseconds === undefined) return undefined;
  await wake(prepared, batch, pace);
  return prepared.deviceMilliseconds(batch);
}

/** Keeps the device at work until its clock is what it is under load. */
async function wake(prepared: Pick<Prepared, 'run'>, batch: number, pace: Pace = processorPace): Promise<void> {
  for (const started = performance.now(); performance.now() - started < pace.wake; ) await prepared.run(batch);
}
