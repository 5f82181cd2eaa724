import { describeKernel } from '../kernel/describe-kernel.ts';
import { type ProfiledRun, setProfileSink } from '../runtime/profile-sink.ts';
import { launches } from '../runtime/queue.ts';
import { refuseInTrace } from '../runtime/trace.ts';

/** All launches of one kernel of one plan. */
export interface ProfiledKernel {
  readonly description: string;
  readonly kind: 'row' | 'contraction' | 'scatterAdd' | 'host';
  readonly launches: number;
  readonly milliseconds: number;
  /** 10^9 operations a second. */
  readonly gflops: number;
  /** 10^9 bytes read and written a second. */
  readonly gbps: number;
}

/** What a function's runs spent their time on. `String(profile)` is a table for people. */
export interface Profile<T> {
  readonly result: T;
  /** Slowest first. */
  readonly kernels: readonly ProfiledKernel[];
  /** Time in kernels. */
  readonly milliseconds: number;
  readonly runs: number;
  toString(): string;
}

/**
 * Runs `fn` and measures every kernel of the runs that it causes, one run after the other.
 *
 * @example
 * const x = new Generator(1).normal([64, 128]);
 * const { result, kernels } = await profile(() => x.square().mean().item());
 * console.log(`${result}: ${kernels[0]?.milliseconds} ms in ${kernels[0]?.description}`);
 */
export async function profile<T>(fn: () => T | Promise<T>): Promise<Profile<T>> {
  refuseInTrace('profile');
  const kernels = new Map<unknown, { run: ProfiledRun; step: number; launches: number; milliseconds: number }>();
  let runs = 0;
  await launches.idle();
  setProfileSink((run) => {
    runs++;
    run.plan.steps.forEach((step, index) => {
      const entry = kernels.get(step) ?? { run, step: index, launches: 0, milliseconds: 0 };
      entry.launches++;
      entry.milliseconds += run.stepTimes[index] ?? 0;
      kernels.set(step, entry);
    });
  });
  let result: T;
  try {
    result = await fn();
    await launches.idle();
  } finally {
    setProfileSink(undefined);
  }
  const list = [...kernels.values()]
    .map(({ run, step, launches: count, milliseconds }): ProfiledKernel => {
      const { kernel, flops, bytes } = run.plan.steps[step] as ProfiledRun['plan']['steps'][number];
      const perMillisecond = (amount: number) => (milliseconds > 0 ? (amount * count) / milliseconds / 1e6 : 0);
      return {
        description: describeKernel(kernel),
        kind: kernel.kind,
        launches: count,
        milliseconds,
        gflops: perMillisecond(flops),
        gbps: perMillisecond(bytes),
      };
    })
    .sort((a, b) => b.milliseconds - a.milliseconds);
  const milliseconds = list.reduce((sum, kernel) => sum + kernel.milliseconds, 0);
  return { result, kernels: list, milliseconds, runs, toString: () => print(list, milliseconds, runs) };
}

function print(kernels: readonly ProfiledKernel[], milliseconds: number, runs: number): string {
  const lines = kernels.map((kernel) => {
    const share = milliseconds > 0 ? (100 * kernel.milliseconds) / milliseconds : 0;
    return [
      `${kernel.milliseconds.toFixed(2).padStart(9)} ms`,
      `${share.toFixed(1).padStart(5)}%`,
      `${String(kernel.launches).padStart(5)}x`,
      `${kernel.gflops.toFixed(2).padStart(7)} GFLOP/s`,
      `${kernel.gbps.toFixed(2).padStart(7)} GB/s`,
      kernel.description,
    ].join('  ');
  });
  return [`${milliseconds.toFixed(2)} ms in kernels of ${runs} runs`, ...lines].join('\n');
}
