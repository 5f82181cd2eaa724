export {
  type GenerationPreset,
  generationPresets,
  type PublishedNetwork,
  publishedNetworkName,
} from './generation.ts';
export { type TrainingPreset, trainingPresets } from './training.ts';
