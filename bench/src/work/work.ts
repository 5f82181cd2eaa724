import type { Task } from './task.ts';

/** What figures are given in. Of rates more is better, of times and `MiB` less. */
export type Unit = 'GFLOP/s' | 'GB/s' | 'images/s' | 'steps/s' | 'ms' | 'µs' | 'MiB';

/** Values of one input, drawn anew but always the same. */
export interface InputSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Standard normals, uniform numbers of [0, 1), or what a function gives. @default 'normal' */
  readonly fill?: 'normal' | 'uniform' | ((index: number, normal: () => number) => number);
}

/** One element computed in float64, and the sum of the magnitudes that it was summed from: what rounding is measured by. */
export interface Exact {
  readonly value: number;
  readonly magnitude: number;
}

/** Something to be measured. */
export interface Work {
  readonly name: string;
  readonly task: Task;
  readonly unit: Unit;
  /** Floating-point operations, bytes, images or steps of one run; of times how many they are shared by. */
  readonly amount: number;
  readonly flops: number;
  readonly inputs: readonly InputSpec[];
  /** Number of elements of each result. */
  readonly results: readonly number[];
  /** Element `index` of the first result in float64, where loops can tell it; else results are compared with one another. */
  readonly exact?: (inputs: readonly Float32Array[], index: number) => Exact;
  /** Largest error of an element as a share of its magnitude. */
  readonly tolerance: number;
  /** Largest L2 distance of a result from our own, as a share of its norm. */
  readonly agreement: number;
}

export function isRate(unit: Unit): boolean {
  return unit.endsWith('/s');
}

/** The figure of a run that took `milliseconds`. */
export function figureOf({ unit, amount }: Pick<Work, 'unit' | 'amount'>, milliseconds: number): number {
  switch (unit) {
    case 'GFLOP/s':
    case 'GB/s':
      return amount / milliseconds / 1e6;
    case 'images/s':
    case 'steps/s':
      return (amount * 1000) / milliseconds;
    case 'µs':
      return (1000 * milliseconds) / amount;
    default:
      return milliseconds / amount;
  }
}
