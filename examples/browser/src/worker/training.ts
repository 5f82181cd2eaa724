import type { Look, Magnitudes, SnapshotFile } from '../protocol/train.ts';

/** Something that learns, step by step. */
export interface Training {
  readonly parameters: number;
  /** One step; gives its loss. */
  step(): Promise<number>;
  /** Magnitudes of its layers on data that stay the same. */
  magnitudes(): Promise<Magnitudes>;
  /** What it makes as yet, from noise that stays the same. */
  look(): Promise<Look>;
  /** Averages of the weights, where others can use them. */
  snapshots(): Promise<SnapshotFile[]>;
  dispose(): void;
}
