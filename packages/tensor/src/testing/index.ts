export { type EvaluateOptions, evaluate, evaluateAsync } from '../graph/reference.ts';
export {
  axes,
  axisLists,
  broadcastableShapes,
  type ConvSpec,
  convolutions,
  dtypes,
  permutations,
  type ShapeOptions,
  shapes,
  type TensorSpec,
  tensors,
  type ValueOptions,
  values,
} from './arbitraries.ts';
export { assertWithin } from './compare.ts';
export { backendConformance, type ConformanceCase, type ConformanceOptions } from './conformance/index.ts';
export { type Bounded, defaultUlps, evaluateBounded, type Ulps } from './error-bound.ts';
export { type Differentiable, type GradcheckOptions, gradcheck, gradgradcheck } from './gradcheck.ts';
export { runOracle } from './kernel-oracle.ts';
export { guardLeaks, leakGuard, type TestHooks } from './leak-guard.ts';
export { poisoned } from './poisoned.ts';
export {
  buildGraph,
  type GraphRecipe,
  type GraphStep,
  graphRecipes,
  graphStepKinds,
  recipeLeaves,
} from './random-graph.ts';
export {
  contractionKernels,
  elementwiseKernels,
  type KernelCase,
  type KernelSizes,
  rowKernels,
} from './random-kernel.ts';
