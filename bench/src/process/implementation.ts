import type { Task } from '../work/task.ts';
import type { Pace } from './timing.ts';

/** An input's values. */
export interface Input {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A task made ready. */
export interface Prepared {
  /** Runs the task so many times, and is over when all of it is computed. */
  run(count: number): Promise<void>;
  /** Of the first run, in the order and layout that the task names. */
  results(): Promise<readonly Float32Array[]>;
  dispose(): void | Promise<void>;
  /** A choice that was made, such as a memory format. */
  readonly note?: string;
  /** Milliseconds of single runs, where the clock must stand elsewhere: in a page, not in the process that asks it. */
  measure?(milliseconds: number): Promise<readonly number[]>;
  /** Milliseconds of a run by the device's own clock, where it has one, measured over `count` of them. */
  deviceMilliseconds?(count: number): Promise<number | undefined>;
}

/** A library as the bench sees it. */
export interface Implementation {
  readonly about: Readonly<Record<string, string>>;
  /** @default processorPace */
  readonly pace?: Pace;
  /** @throws Unsupported where the library cannot do it. */
  prepare(task: Task, inputs: readonly Input[]): Promise<Prepared>;
}

/** The library lacks what the task needs; not an error of anyone. */
export class Unsupported extends Error {}
