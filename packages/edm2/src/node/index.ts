// What reads and writes files: for Node, where the main entry also runs in browsers.

export { type NetworkWeights, readNetwork, readWeights, type StoredNetwork } from './read-network.ts';
export type { SnapshotChoice } from './snapshot-folder.ts';
export {
  type Checkpoint,
  type CheckpointNotes,
  decodeCheckpoint,
  encodeCheckpoint,
} from './training/checkpoint.ts';
export {
  type FoundCheckpoint,
  type NewestCheckpointOptions,
  newestCheckpoint,
} from './training/checkpoint-folder.ts';
export { StatsCollector } from './training/stats.ts';
export { EventFile, type EventFileOptions } from './training/tensorboard/event-file.ts';
export { type RunProgress, type TrainRunOptions, type TrainRunResult, trainRun } from './training/train-run.ts';
