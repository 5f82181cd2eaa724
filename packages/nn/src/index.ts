export type { Communicator, ReduceKind } from './communicator.ts';
export { DataLoader, type DataLoaderOptions } from './data/data-loader.ts';
export { type ArrayField, arrayDataset, type Dataset } from './data/dataset.ts';
export {
  classBalancedIndices,
  type IndexStream,
  type ShuffleOptions,
  sequentialIndices,
  shuffledIndices,
} from './data/index-stream.ts';
export { GELU, ReLU, Sigmoid, SiLU, Tanh } from './layers/activations.ts';
export {
  type AttentionOptions,
  MultiHeadAttention,
  type MultiHeadAttentionOptions,
  scaledDotProductAttention,
} from './layers/attention.ts';
export { ConvTranspose2d, type ConvTranspose2dOptions } from './layers/conv-transpose2d.ts';
export { Conv2d, type Conv2dOptions } from './layers/conv2d.ts';
export { Dropout, type DropoutOptions, dropout } from './layers/dropout.ts';
export { Embedding } from './layers/embedding.ts';
export { GroupNorm, type NormOptions } from './layers/group-norm.ts';
export {
  generatorOf,
  type InitializationOptions,
  seedLayers,
  standardNormal,
  withGenerator,
} from './layers/initialization.ts';
export { LayerNorm } from './layers/layer-norm.ts';
export { Linear, type LinearOptions } from './layers/linear.ts';
export { type Layer, Sequential } from './layers/sequential.ts';
export { requireSizes } from './layers/sizes.ts';
export { isFiniteValue, zeroNonFinite } from './module/finite.ts';
export { type FieldNames, Module, snakeCase } from './module/module.ts';
export { type CheckFiniteOptions, checkFinite, findNaN, type NonFinite } from './module/non-finite.ts';
export { Parameter, type ParameterOptions, Persistent } from './module/parameter.ts';
export { type ForwardEvent, type Probe, withProbe } from './module/scope.ts';
export type { LoadOptions, LoadReport, StateDict } from './module/state-dict.ts';
export { Adam, type AdamOptions } from './optimizers/adam.ts';
export { AdamW } from './optimizers/adamw.ts';
export {
  type ClippedGradients,
  clipGradNorm,
  clipGradValue,
  GradientAccumulator,
} from './optimizers/gradients.ts';
export { Optimizer, type OptimizerOptions, type StepOptions, type Trainable } from './optimizers/optimizer.ts';
export { SGD, type SGDOptions } from './optimizers/sgd.ts';
export {
  type CosineOptions,
  constantSchedule,
  cosineSchedule,
  inverseSquareRootDecay,
  type LinearWarmupOptions,
  linearWarmup,
  productSchedule,
  type Schedule,
} from './schedules.ts';
