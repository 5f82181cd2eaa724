import type { Tensor } from '@evenkeel/tensor';

/** How {@link Communicator.allReduce} joins values. */
export type ReduceKind = 'sum' | 'mean' | 'max' | 'min';

/**
 * What training over several processes needs of the wire between them. Every process calls the same methods in the same
 * order with the same shapes; results are tensors of the lazy graph, so that a training step stays one plan.
 * Reductions combine values in order of rank, so that every process gets the same bits.
 */
export interface Communicator {
  /** This process, `0 <= rank < worldSize`. */
  readonly rank: number;
  /** Number of processes. */
  readonly worldSize: number;
  /** Joins the values that all processes hold, element by element; all get the result. */
  allReduce(values: readonly Tensor[], kind: ReduceKind): Tensor[];
  /** The values that process `root` holds. */
  broadcast(values: readonly Tensor[], root: number): Tensor[];
  /** Returns when every process has called it. */
  barrier(): Promise<void>;
  /** Leaves the group; the others fail at their next call. */
  close(): Promise<void>;
}
