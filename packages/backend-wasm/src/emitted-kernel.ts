import type { Callable, FunctionType } from './encoder.ts';

/** Instructions that kernels may use: multiply and add, fused on four lanes, or pairs that V8 fuses to eight lanes. */
export type InstructionSet = 'plain' | 'relaxed' | 'wide';

/**
 * Parameters of a phase's function, all i32: the kernel's table (address of one i32 for each operand, its address in
 * bytes; float64 launch arguments lie behind it, see `argumentsOffset`), the number of the chunk, the thread's own
 * scratch memory, and the step's scratch memory, which all threads share.
 */
export const phaseType: FunctionType = { parameters: ['i32', 'i32', 'i32', 'i32'] };

/** Where a kernel's launch arguments start in its table, in bytes: the first multiple of 8 behind the addresses. */
export function argumentsOffset(operands: number): number {
  return 8 * Math.ceil(operands / 2);
}

/** Work that threads take chunk by chunk, in any order: which chunk is whose does not change results. */
export interface Phase {
  readonly chunks: number;
  readonly run: Callable;
}

/** A kernel as functions of a module. All threads finish a phase before any starts the next. Scratch memory is 16-byte aligned. */
export interface EmittedKernel {
  readonly phases: readonly Phase[];
  /** Bytes that each thread needs while it works, and bytes that all share from the first phase to the last. */
  readonly threadBytes: number;
  readonly sharedBytes: number;
  /** What that memory holds, for reports. */
  readonly scratch?: string;
}
