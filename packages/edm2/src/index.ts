export * from './data/index.ts';
export * from './ema/index.ts';
export { Edm2Loss, type Edm2LossOptions, type LossNormals, type LossTerms } from './loss.ts';
export { type Agreement, agreement } from './metrics/agreement.ts';
export { Classifier, type ClassifierOptions } from './metrics/classifier.ts';
export {
  type CollectOptions,
  collectDataset,
  StatisticsCollector,
  type StatisticsCollectorOptions,
} from './metrics/collect.ts';
export { type CollectGeneratedOptions, collectGenerated } from './metrics/collect-generated.ts';
export { compareStatistics, type MetricValue } from './metrics/compare.ts';
export {
  type DenoisingError,
  type DenoisingTriples,
  type DenoisingTriplesOptions,
  denoisingError,
  denoisingTriples,
} from './metrics/denoising-error.ts';
export { frechetDistance } from './metrics/distances/frechet-distance.ts';
export {
  type KernelDistance,
  type KernelDistanceOptions,
  kernelDistance,
} from './metrics/distances/kernel-distance.ts';
export { type EmaSweepOptions, type EmaSweepRow, sweepEmaLengths } from './metrics/ema-sweep.ts';
export {
  accuracy,
  classifierSplit,
  classify,
  decodeClassifier,
  encodeClassifier,
  loadEmoji16Classifier,
} from './metrics/emoji16-classifier.ts';
export { dinov2Dim, dinov2Features, dinov2Input } from './metrics/extractors/dinov2.ts';
export { emoji16Features } from './metrics/extractors/emoji16.ts';
export { type FeatureExtractor, type PixelBatch, pixelBatch } from './metrics/extractors/feature-extractor.ts';
export { inceptionDim, inceptionFeatures } from './metrics/extractors/inception.ts';
export type { OnnxNetwork, OnnxSession, OnnxTensor, OnnxTensorClass } from './metrics/extractors/onnx-session.ts';
export { evenMixture, type FeatureStatistics, RunningStatistics } from './metrics/feature-statistics.ts';
export { type ExtractorName, type Metric, metrics } from './metrics/metric.ts';
export { type Neighbour, nearestImages } from './metrics/nearest.ts';
export {
  decodeStatistics,
  encodeStatistics,
  type FeatureRows,
  type ImageSetStatistics,
} from './metrics/reference.ts';
export { type Planes, resizeBicubic } from './metrics/resize.ts';
export { Block, type BlockOptions, type BlockStyle } from './network/block.ts';
export { type CountedOp, type NetworkComplexity, networkComplexity } from './network/complexity.ts';
export {
  describedNetwork,
  type EncoderName,
  type NetworkDescription,
  networkMetadata,
} from './network/network-metadata.ts';
export { type Denoised, Precond, type PrecondOptions } from './network/precondition.ts';
export { UNet, type UNetOptions } from './network/unet.ts';
export { contourLoops, type Grid } from './plot/contour.ts';
export {
  type AreaShape,
  type DotsShape,
  type Drawing,
  drawingToSvg,
  type LineShape,
  type PlotPoint,
  type Shape,
  type TextShape,
} from './plot/drawing.ts';
export { type ChartOptions, lineChart, type Series } from './plot/line-chart.ts';
export { type DrawingRasterOptions, drawingToRaster } from './plot/raster.ts';
export * from './presets/index.ts';
export { decodePublishedSnapshot, type PublishedSnapshot } from './published/decode-snapshot.ts';
export {
  addChurn,
  type Churn,
  type Churned,
  type NormalSource,
} from './sample/churn.ts';
export { type GeneratedImages, type GenerateOptions, generateImages } from './sample/generate.ts';
export {
  type Denoiser,
  type GuidanceInterval,
  guided,
  isGuided,
  type SamplerStep,
} from './sample/guidance.ts';
export { type HeunOptions, heunStep, type SampleProgress, sampleHeun } from './sample/heun.ts';
export { type NoiseLevelOptions, noiseLevels } from './sample/noise-levels.ts';
export { PerSeedRandom } from './sample/per-seed.ts';
export { type SampleOptions, sample } from './sample/sample.ts';
export { type LearningRateOptions, learningRate } from './schedule.ts';
export * from './toy/index.ts';
export {
  type Batch,
  type BatchSource,
  type LabeledImages,
  type TrainingExamplesOptions,
  trainingExamples,
} from './train/batch.ts';
export {
  type BatchEncoder,
  type LossAndGradients,
  lossAndGradients,
  type RoundOptions,
  type TrainingParts,
  type TrainStepOptions,
  trainStep,
} from './train/step.ts';
export { Trainer, type TrainerOptions, type TrainStep } from './train/trainer.ts';
export type { TrainerState } from './train/trainer-state.ts';
export * from './vae/index.ts';
