// What a backend of one's own is written against: plans, kernels, and help in reading them.
export type { Backend, Call, Capabilities, DeviceBuffer, Executable, Run, ScratchItem } from './backend.ts';
export { type BoundBuffers, bindInputs, bindOutputs } from './bind.ts';
export {
  type Coefficients,
  cosineSeries,
  doubleCoefficients,
  logErfc,
  scaledErfc,
  sineSeries,
  singleCoefficients,
} from './coefficients.ts';
export { flopsOf } from './cost.ts';
export { describeKernel } from './describe-kernel.ts';
export { elementBytes } from './element-bytes.ts';
export { alwaysHolds, axesOf, directFactor, IndexSpace, type Linear, type LinearGuard } from './index-math.ts';
export type * from './ir.ts';
export { LinearIndices } from './linear-indices.ts';
export type * from './plan.ts';
export { type Pass, planRow, type RowPlan } from './row-plan.ts';
export { showBytes } from './show-bytes.ts';
export { type Slide, slideOf } from './slide.ts';
export { type ThreeByThree, threeByThree } from './three-by-three.ts';
export { mapOperands, operandsOf, visitExprs } from './walk.ts';
