export {
  type ProfileChartOptions,
  profileChart,
  type ReconstructionErrorOptions,
  reconstructionErrorChart,
  reconstructionErrors,
} from './charts.ts';
export { fitPostHoc, fitWarning, type PostHocFit } from './fit.ts';
export { type Matrix, solveLinear } from './linear-solve.ts';
export { profileInnerProduct, profileInnerProducts, solvePostHoc } from './post-hoc.ts';
export {
  type EmaProfile,
  type EmaUpdate,
  emaBeta,
  exponentOfStd,
  largestStd,
  sampledResponse,
  stdOfExponent,
} from './profile.ts';
export {
  type NamedValues,
  type ReconstructionTarget,
  type ReconstructOptions,
  reconstruct,
  type StoredEma,
} from './reconstruct.ts';
export {
  decodeSnapshot,
  type EmaSnapshot,
  type EncodeSnapshotOptions,
  encodeSnapshot,
  snapshotName,
} from './snapshot.ts';
export { stdOfTensor, type TensorStd } from './tensor-std.ts';
export {
  type EmaShares,
  type EmaTime,
  PowerFunctionEma,
  type PowerFunctionEmaOptions,
  readStateDict,
  stateDictOf,
  TraditionalEma,
  type TraditionalEmaOptions,
  WeightAverages,
} from './tracker.ts';
