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
export { type ReconstructOptions, reconstruct, type StoredEma } from './reconstruct.ts';
export {
  decodeSnapshot,
  type EmaSnapshot,
  type EncodeSnapshotOptions,
  encodeSnapshot,
  snapshotName,
} from './snapshot.ts';
export {
  type EmaShares,
  PowerFunctionEma,
  type PowerFunctionEmaOptions,
  readStateDict,
  stateDictOf,
} from './tracker.ts';
