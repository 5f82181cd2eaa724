// What reads and writes files: for Node, where the main entry also runs in browsers.

export { type Conversion, type ConvertWeightsOptions, convertWeights } from './convert-weights.ts';
export {
  type ConvertOptions,
  convertDataset,
  type DatasetProgress,
  type DatasetReport,
  type DatasetWorkOptions,
} from './data/convert.ts';
export { type DatasetInfo, type DatasetInfoOptions, datasetInfo } from './data/info.ts';
export { decodeDataset, encodeDataset, type LatentWorkOptions } from './data/latents.ts';
export { type OpenImageDataset, type OpenImageDatasetOptions, openImageDataset } from './data/open.ts';
export {
  type PlannedReconstruction,
  planReconstruction,
  type ReconstructionOptions,
  type WriteReconstructionsOptions,
  writeReconstructions,
} from './ema/reconstruct-files.ts';
export {
  type SelectedSnapshots,
  type SnapshotSelection,
  selectSnapshots,
} from './ema/select-snapshots.ts';
export {
  openSnapshot,
  type SaveSnapshotsOptions,
  type SnapshotDescription,
  type SnapshotFile,
  saveSnapshots,
} from './ema/snapshot-file.ts';
export { type ExtractorFiles, loadExtractors, type OnnxRuntime } from './metrics/load-extractors.ts';
export { readStatistics, writeStatistics } from './metrics/statistics-files.ts';
export { type NetworkWeights, readNetwork, readWeights, type StoredNetwork } from './read-network.ts';
export {
  type GeneratedFiles,
  type GenerateFilesOptions,
  generateImageFiles,
  type SeedFileOptions,
  seedFile,
} from './sample/generate-files.ts';
export { findGenerationFiles, type GenerationFiles } from './sample/generation-files.ts';
export type { SnapshotChoice } from './snapshot-folder.ts';
export { loadStabilityVae } from './stability-vae.ts';
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
