export { type Agreement, agreement } from './agreement.ts';
export { Classifier, type ClassifierOptions } from './classifier.ts';
export {
  type CollectOptions,
  collectDataset,
  StatisticsCollector,
  type StatisticsCollectorOptions,
} from './collect.ts';
export { type CollectGeneratedOptions, collectGenerated } from './collect-generated.ts';
export { compareStatistics, type MetricValue } from './compare.ts';
export {
  type DenoisingError,
  type DenoisingTriples,
  type DenoisingTriplesOptions,
  denoisingError,
  denoisingTriples,
} from './denoising-error.ts';
export { frechetDistance } from './distances/frechet-distance.ts';
export {
  type KernelDistance,
  type KernelDistanceOptions,
  kernelDistance,
} from './distances/kernel-distance.ts';
export { type EmaSweepOptions, type EmaSweepRow, sweepEmaLengths } from './ema-sweep.ts';
export {
  accuracy,
  classifierSplit,
  classify,
  decodeClassifier,
  encodeClassifier,
  loadEmoji16Classifier,
} from './emoji16-classifier.ts';
export { dinov2Dim, dinov2Features, dinov2Input } from './extractors/dinov2.ts';
export { emoji16Features } from './extractors/emoji16.ts';
export { type FeatureExtractor, type PixelBatch, pixelBatch } from './extractors/feature-extractor.ts';
export { inceptionDim, inceptionFeatures } from './extractors/inception.ts';
export type { OnnxNetwork, OnnxSession, OnnxTensor, OnnxTensorClass } from './extractors/onnx-session.ts';
export { evenMixture, type FeatureStatistics, RunningStatistics } from './feature-statistics.ts';
export { type ExtractorName, type Metric, metrics } from './metric.ts';
export { type Neighbour, nearestImages } from './nearest.ts';
export {
  decodeStatistics,
  encodeStatistics,
  type FeatureRows,
  type ImageSetStatistics,
} from './reference.ts';
export { type Planes, resizeBicubic } from './resize.ts';
