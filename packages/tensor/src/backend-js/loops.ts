import type { Primitive } from './primitives.ts';

/**
 * The language between kernels and JavaScript: loops, locals, and scalar expressions over typed arrays. The printer
 * turns it into source, the interpreter into closures, so both do the same operations in the same order.
 */
export interface LoopProgram {
  readonly kind: string;
  readonly operandNames: readonly string[];
  /** Number of locals; each has a slot of its own. */
  readonly slots: number;
  readonly body: readonly Statement[];
}

/** An array that generated code touches. `bounds` are the integers that a call is given, `given` the launch arguments. */
export type ArrayReference =
  | { readonly kind: 'operand' | 'scratch'; readonly number: number }
  | { readonly kind: 'bounds' | 'given' | TableName };

/** Arrays that generated code closes over: tables for `exp`, and the memory of contractions. */
export type TableName = 'powers' | 'fractions' | 'rows' | 'columns' | 'tiles' | 'planes';

export type Tables = Readonly<Record<TableName, Float64Array>>;

export interface Local {
  readonly name: string;
  readonly slot: number;
}

/** A scalar. Its value is in `local` once the builder has decided to keep it there; otherwise it is spelled out where it is used. */
export interface Value {
  readonly id: number;
  readonly form: ValueForm;
  /** The scope where it is computed: the outermost one that knows all it depends on. */
  readonly scope: Scope;
  /** Widest float it needs to be exact: 16, 32 or 64 bits. */
  readonly precision: Precision;
  local?: Local;
}

export type Precision = 16 | 32 | 64;

export type ValueForm =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'local'; readonly local: Local }
  | { readonly kind: 'call'; readonly primitive: Primitive; readonly operands: readonly Value[] }
  /** 0 where the guard fails, without touching memory. */
  | {
      readonly kind: 'read';
      readonly array: ArrayReference;
      readonly index: Value;
      readonly guard?: Value;
      /** The array is written by the same program: keep the value where it was read. */
      readonly volatile: boolean;
    };

export type Statement =
  | { readonly kind: 'define'; readonly value: Value }
  | { readonly kind: 'variable'; readonly local: Local; readonly initial: Value }
  | { readonly kind: 'assign'; readonly local: Local; readonly value: Value }
  | {
      readonly kind: 'write';
      readonly array: ArrayReference;
      readonly index: Value;
      readonly value: Value;
      readonly guard?: Value;
    }
  | {
      readonly kind: 'loop';
      readonly local: Local;
      readonly from: Value;
      readonly to: Value;
      /** From `to - 1` down to `from`. */
      readonly reverse: boolean;
      readonly scope: Scope;
    };

/** The body of a loop, or of the whole program. */
export interface Scope {
  readonly depth: number;
  readonly statements: Statement[];
}

/** How a call of generated code looks. */
export type LoopFunction = (
  operands: readonly ArrayLike<number>[],
  given: Float64Array,
  scratch: readonly Float64Array[],
  bounds: readonly number[],
) => void;

export function arrayKey(array: ArrayReference): string {
  return array.kind === 'operand' || array.kind === 'scratch' ? `${array.kind}${array.number}` : array.kind;
}
