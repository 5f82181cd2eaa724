import fc, { type Arbitrary } from 'fast-check';
import type { Node } from '../../graph/node.ts';
import type { Backend } from '../../kernel/backend.ts';
import { withBackend } from '../../runtime/backend.ts';
import { readNodes } from '../../runtime/realize.ts';
import type { DType, HostArray } from '../../types/dtype.ts';
import { assertWithin } from '../compare.ts';
import { evaluateBounded, type Ulps } from '../error-bound.ts';

/** How {@link backendConformance} runs. */
export interface ConformanceOptions {
  /** Drawn cases for each property; 20 unless told. */
  readonly numRuns?: number;
  /** Seed of the draws; a new one every time unless told. A failure prints the seed it had. */
  readonly seed?: number;
  /** Errors of single operations that the device documents as larger than usual, in units in the last place. */
  readonly ulps?: Ulps;
  /** Whether the device may take numbers below the smallest normal one for 0, as graphics cards do; false unless told. */
  readonly flushesSubnormals?: boolean;
  /** Kernels that the device has run so far; where given, it must count as many as `explain` lists. */
  readonly executedKernels?: () => number;
}

/** One check, for any test runner: it rejects with what went wrong. */
export interface ConformanceCase {
  readonly name: string;
  run(): Promise<void>;
}

/** What the checks work with. */
export interface Context {
  readonly options: ConformanceOptions;
  /** Dtypes that the backend computes in, float16 aside. */
  dtypes(): Promise<readonly DType[]>;
  /** float32, and float64 where the backend has it. */
  floats(): Promise<readonly ('float32' | 'float64')[]>;
  /** Runs with the backend under test as the current one. */
  using<T>(work: (backend: Backend) => Promise<T>): Promise<T>;
  /** Computes nodes on the backend and holds every value to the float64 reference. */
  check(what: string, nodes: readonly Node[]): Promise<HostArray[]>;
  /** Checks a property on drawn values. */
  property<T>(arbitrary: Arbitrary<T>, check: (drawn: T) => Promise<void>, numRuns?: number): Promise<void>;
}

/** A context around a backend that is made at its first use. */
export function createContext(backend: () => Promise<Backend>, options: ConformanceOptions): Context {
  const dtypes = async (): Promise<readonly DType[]> =>
    (await backend()).capabilities.dtypes.filter((dtype) => dtype !== 'float16');
  const using = async <T>(work: (backend: Backend) => Promise<T>): Promise<T> => {
    const current = await backend();
    return withBackend(current, () => work(current));
  };
  return {
    options,
    dtypes,
    using,
    floats: async () => (await dtypes()).filter((dtype) => dtype === 'float32' || dtype === 'float64'),
    check: async (what, nodes) => {
      const { ulps = {}, flushesSubnormals = false } = options;
      const bounded = await evaluateBounded(nodes, { ulps, flushesSubnormals });
      const values = await using(() => readNodes(nodes));
      nodes.forEach((node, i) => {
        assertWithin(what, node, values[i] as HostArray, bounded[i] as (typeof bounded)[number]);
      });
      return values;
    },
    property: async (arbitrary, check, numRuns = options.numRuns ?? 20) => {
      const seed = options.seed === undefined ? {} : { seed: options.seed };
      await fc.assert(fc.asyncProperty(arbitrary, check), { numRuns, includeErrorInReport: true, ...seed });
    },
  };
}

/** @throws with `message` when `condition` does not hold. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}
