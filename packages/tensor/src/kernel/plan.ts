import type { DType } from '../types/dtype.ts';
import type { Kernel } from './ir.ts';

/**
 * A buffer of a plan: written once, by one step (or given as an input). No two values that a step touches share memory;
 * where a value overwrites another in place, the step has it as one `inout` operand.
 */
export interface PlanValue {
  readonly dtype: DType;
  /** Elements as stored. */
  readonly length: number;
  readonly role: 'input' | 'temporary' | 'output';
  /** First and last step that touch it; inputs start at -1, outputs end at steps.length. An output without elements has no step. */
  readonly first: number;
  readonly last: number;
  /** Temporaries: a slot that no other live temporary has. Advice for backends that place memory by slot. */
  readonly slot?: number;
  /** Outputs that overwrite an input in place: that input's value number. */
  readonly replaces?: number;
}

/** One kernel of a plan with what it works on. */
export interface Step {
  readonly kernel: Kernel;
  /** Value number of each of the kernel's operands. */
  readonly operands: readonly number[];
  /** Launch argument of the plan for each of the kernel's arguments, whose dtype the kernel says. */
  readonly arguments: readonly number[];
  /** Multiply-adds counted as two, and bytes read and written once each: for explain and profile. */
  readonly flops: number;
  readonly bytes: number;
}

/** A whole computation in order: the one thing that crosses the plug-in boundary. */
export interface Plan {
  readonly values: readonly PlanValue[];
  /** Value numbers bound at run time, in the order of `call.inputs`. */
  readonly inputs: readonly number[];
  /** Value numbers handed back, in the order of `outputs`. */
  readonly outputs: readonly number[];
  readonly steps: readonly Step[];
  /** `updates[i]`: output `output` is the new value of the cell bound at input `input`. */
  readonly updates: readonly { readonly input: number; readonly output: number }[];
  /** Number of launch arguments. */
  readonly argumentCount: number;
  /** Bytes of each slot, by the backend's `elementBytes`. */
  readonly slots: readonly number[];
}
