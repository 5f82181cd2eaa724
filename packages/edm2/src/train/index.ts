export {
  type Batch,
  type BatchSource,
  type LabeledImages,
  type TrainingExamplesOptions,
  trainingExamples,
} from './batch.ts';
export {
  type BatchEncoder,
  type LossAndGradients,
  lossAndGradients,
  type RoundOptions,
  type TrainingParts,
  type TrainStepOptions,
  trainStep,
} from './step.ts';
export { Trainer, type TrainerOptions, type TrainStep } from './trainer.ts';
export type { TrainerState } from './trainer-state.ts';
