export * from './autograd/index.ts';
export { createJsBackend } from './backend-js/index.ts';
export * from './debug/index.ts';
export type { Backend, Call, Capabilities, DeviceBuffer, Executable, Run } from './kernel/backend.ts';
export type * from './kernel/ir.ts';
export type * from './kernel/plan.ts';
export { currentBackend, setBackend, withBackend } from './runtime/backend.ts';
export { Cell } from './runtime/cell.ts';
export { developmentMode, setDevelopmentMode } from './runtime/development.ts';
export { type MemoryReport, memory } from './runtime/memory.ts';
export { planCount } from './runtime/plan-cache.ts';
export { PoisonedCellError } from './runtime/poisoned-cell.ts';
export { StaleReadError } from './runtime/stale-read.ts';
export * from './tensor/index.ts';
export {
  bytesPerElement,
  type DType,
  type HostArray,
  hostArray,
  hostArrayFrom,
  isFloat,
  isInteger,
} from './types/dtype.ts';
export { broadcastShapes, elementCount, normalizeAxis, type Shape, sameShape, showShape } from './types/shape.ts';
