export type { TensorOrNumber } from './apply.ts';
export { where } from './arithmetic.ts';
export {
  type CompiledInput,
  type CompiledInputs,
  type CompiledResult,
  type CompileOptions,
  compile,
} from './compile.ts';
export {
  type ConvOptions,
  type ConvTransposeOptions,
  conv,
  conv2d,
  convTranspose,
  convTranspose2d,
  type Padding,
  type PerAxis,
} from './convolution.ts';
export {
  arange,
  type DTypeOption,
  eye,
  full,
  linspace,
  ones,
  onesLike,
  type TensorOptions,
  tensor,
  zeros,
  zerosLike,
} from './creation.ts';
export { einsum } from './einsum.ts';
export { oneHot, type Range } from './indexing.ts';
export type { NdArrayInput, NestedArray, NestedInput, NestedNumbers, TypedArray } from './interop.ts';
export { concat, split, stack } from './movement.ts';
export { averagePool2d, maxPool2d, type PoolOptions } from './pooling.ts';
export {
  Generator,
  type GeneratorState,
  type NormalOptions,
  type RandomOptions,
  type UniformOptions,
} from './random.ts';
export { commit, realize } from './realize.ts';
export type { Axes, ReduceOptions, VarianceOptions } from './reductions.ts';
export { State } from './state.ts';
export { Tensor } from './tensor.ts';
