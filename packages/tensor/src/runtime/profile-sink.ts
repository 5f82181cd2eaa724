import type { Plan } from '../kernel/plan.ts';

/** One measured run. */
export interface ProfiledRun {
  readonly plan: Plan;
  /** Milliseconds of each step. */
  readonly stepTimes: readonly number[];
}

let sink: ((run: ProfiledRun) => void) | undefined;

/** Where measured runs go; undefined while nobody measures. */
export function profileSink(): ((run: ProfiledRun) => void) | undefined {
  return sink;
}

/** Measures every run from now on, until called with undefined. */
export function setProfileSink(to: ((run: ProfiledRun) => void) | undefined): void {
  sink = to;
}
