import type { Plan } from '../kernel/plan.ts';

/** One measured run. */
export interface ProfiledRun {
  readonly plan: Plan;
  /** Milliseconds of each step; empty where only runs are measured. */
  readonly stepTimes: readonly number[];
  /** Milliseconds that the device worked, where it tells. */
  readonly busy: number | undefined;
}

/** Who measures runs. */
export interface ProfileSink {
  /** Whether every step is measured: then runs go one after the other, and the device comes back after each step. */
  readonly eachStep: boolean;
  /** Called for each run when it is handed over. */
  take(run: Promise<ProfiledRun>): void;
}

let sink: ProfileSink | undefined;

/** Where measured runs go; undefined while nobody measures. */
export function profileSink(): ProfileSink | undefined {
  return sink;
}

/** Measures every run from now on, until called with undefined. */
export function setProfileSink(to: ProfileSink | undefined): void {
  sink = to;
}
