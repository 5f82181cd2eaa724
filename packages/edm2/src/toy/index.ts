export { fractalTree, type ToyClass, toyClasses } from './fractal-tree.ts';
export { type GaussianComponent, GaussianMixture } from './gaussian-mixture.ts';
export { MersenneTwister } from './mersenne-twister.ts';
export { toyLoss } from './toy-loss.ts';
export { ToyModel, type ToyModelOptions } from './toy-model.ts';
