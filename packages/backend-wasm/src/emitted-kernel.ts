import type { DType } from '@evenkeel/tensor';
import type { Expr, Operand, Store } from '@evenkeel/tensor/kernel';
import type { Callable, FunctionBuilder, FunctionType, Local } from './encoder.ts';

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

/** Where expressions are evaluated. */
export interface ExpressionSite {
  readonly f: FunctionBuilder;
  readonly operands: readonly Operand[];
  readonly arguments: readonly DType[];
  /** Sizes of the kernel's axes, and the i32 local that holds the position on each. */
  readonly sizes: readonly number[];
  readonly axes: readonly Local[];
  readonly table: Local;
  /** Four elements at a time along this axis, from where its local stands; one element where absent. */
  readonly lane?: number;
  /** Holds the sum of a contraction: f32 or f64, or v128 of four f32 with `lane`. */
  readonly accumulator?: Local;
}

/** Emits a kernel's expressions at one site. Shared expressions are computed once until `forget`. */
export interface Expressions {
  /** Leaves a value on the stack: f32 (float32, float16), f64, or i32 (int32, uint32, bool); with lanes v128. */
  push(expr: Expr): void;
  /** All values (and loads) first, then the writes. */
  store(stores: readonly Store[]): void;
  /** Code of loops was left or entered, or axes moved: nothing that was computed is at hand. */
  forget(): void;
}

/** False where `lane` is not possible for these expressions: they are then evaluated one by one. */
export type CanVectorize = (
  roots: readonly Expr[],
  stores: readonly Store[],
  site: Omit<ExpressionSite, 'f' | 'axes' | 'table'>,
) => boolean;
export type CreateExpressions = (site: ExpressionSite) => Expressions;
