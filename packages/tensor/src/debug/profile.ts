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
  /** From the call of the function to the end of its last run. */
  readonly wallMilliseconds: number;
  /**
   * Time that the device worked on the runs, without the way there and back; undefined where the backend does not tell.
   * What the wall clock shows beyond it is the cost of everything else.
   */
  readonly busyMilliseconds: number | undefined;
  readonly runs: number;
  toString(): string;
}

/** Options of {@link profile}. */
export interface ProfileOptions {
  /**
   * Whether each kernel is measured, for which runs go one after the other and the device stops after each kernel. Without,
   * runs are as they always are: two under way, and only their whole time is known. @defaultValue true
   */
  readonly kernels?: boolean;
}

/**
 * Runs `fn` and measures every kernel of the runs that it causes, one run after the other. What runs for the first time is
 * compiled first, and graphics devices do some of that at the first launch: call `fn` once before.
 *
 * @example
 * const x = new Generator(1).normal([64, 128]);
 * const { result, kernels } = await profile(() => x.square().mean().item());
 * console.log(`${result}: ${kernels[0]?.milliseconds} ms in ${kernels[0]?.description}`);
 *
 * const { wallMilliseconds, busyMilliseconds } = await profile(() => x.exp().sum().item(), { kernels: false });
 */
export async function profile<T>(fn: () => T | Promise<T>, options: ProfileOptions = {}): Promise<Profile<T>> {
  refuseInTrace('profile');
  const taken: Promise<ProfiledRun>[] = [];
  await launches.idle();
  setProfileSink({
    eachStep: options.kernels ?? true,
    take: (run) => {
      // What fails, fails for those who wait for it.
      run.catch(() => undefined);
      taken.push(run);
    },
  });
  const started = performance.now();
  let result: T;
  try {
    result = await fn();
    await launches.idle();
  } finally {
    setProfileSink(undefined);
  }
  const wallMilliseconds = performance.now() - started;
  const runs = (await Promise.allSettled(taken)).flatMap((run) => (run.status === 'fulfilled' ? [run.value] : []));
  const kernels = kernelsOf(runs);
  const milliseconds = kernels.reduce((sum, kernel) => sum + kernel.milliseconds, 0);
  const busy = runs.map((run) => run.busy).filter((time) => time !== undefined);
  return {
    result,
    kernels,
    milliseconds,
    wallMilliseconds,
    busyMilliseconds: busy.length < runs.length ? undefined : busy.reduce((sum, time) => sum + time, 0),
    runs: runs.length,
    toString: () => print(kernels, milliseconds, runs.length),
  };
}

/** All launches of each kernel, slowest first. */
function kernelsOf(runs: readonly ProfiledRun[]): ProfiledKernel[] {
  const kernels = new Map<unknown, { run: ProfiledRun; step: number; launches: number; milliseconds: number }>();
  for (const run of runs) {
    run.stepTimes.forEach((time, index) => {
      const step = run.plan.steps[index];
      const entry = kernels.get(step) ?? { run, step: index, launches: 0, milliseconds: 0 };
      entry.launches++;
      entry.milliseconds += time;
      kernels.set(step, entry);
    });
  }
  return [...kernels.values()]
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
