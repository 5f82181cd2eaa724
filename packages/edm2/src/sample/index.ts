export {
  addChurn,
  type Churn,
  type Churned,
  type NormalSource,
} from './churn.ts';
export { type GeneratedImages, type GenerateOptions, generateImages } from './generate.ts';
export {
  type Denoiser,
  type GuidanceInterval,
  guided,
  isGuided,
  type SamplerStep,
} from './guidance.ts';
export { type HeunOptions, heunStep, type SampleProgress, sampleHeun } from './heun.ts';
export { type NoiseLevelOptions, noiseLevels } from './noise-levels.ts';
export { PerSeedRandom } from './per-seed.ts';
export { type SampleOptions, sample } from './sample.ts';
