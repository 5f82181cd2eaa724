export { fractalTree, type ToyClass, toyClasses } from './fractal-tree.ts';
export { type GaussianComponent, GaussianMixture } from './gaussian-mixture.ts';
export { MersenneTwister } from './mersenne-twister.ts';
export { type SampleToyOptions, sampleToy } from './sample-toy.ts';
export { type ToyFigureOptions, type ToyPanel, type ToyView, toyFigure } from './toy-figure.ts';
export { decodeToy, encodeToy, type StoredToy } from './toy-file.ts';
export { toyLoss } from './toy-loss.ts';
export { ToyModel, type ToyModelOptions } from './toy-model.ts';
export { type ToyStep, ToyTrainer, type ToyTrainerOptions } from './toy-trainer.ts';
