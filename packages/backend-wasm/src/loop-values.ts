import type { FunctionBuilder, Local, MemoryOp, PlainOp, ValueType } from './encoder.ts';

/**
 * A scalar or vector. One with `usesLeft` is computed where it stands and kept in `local` until the last of them; others
 * are computed where they are used.
 */
export interface Value {
  readonly id: number;
  readonly type: ValueType;
  readonly form: ValueForm;
  /** Where it is computed: the outermost scope that knows all it depends on. */
  readonly scope: Scope;
  usesLeft?: number;
  local?: Local;
}

export type ValueForm =
  | { readonly kind: 'number'; readonly value: number }
  /** A constant vector of four int32 lanes. */
  | { readonly kind: 'lanes'; readonly lanes: readonly number[] }
  | { readonly kind: 'variable'; readonly local: Local }
  /** `write` follows the operands on the stack. */
  | {
      readonly kind: 'operation';
      readonly operands: readonly Value[];
      readonly volatile: boolean;
      write(f: FunctionBuilder): void;
    }
  /** `write` puts operands on the stack itself, each as often as it needs it. */
  | {
      readonly kind: 'inline';
      readonly operands: readonly Value[];
      write(f: FunctionBuilder, push: (operand: number) => void): void;
    }
  /** A load that reads 0 where the guard fails, without touching memory. */
  | {
      readonly kind: 'guardedLoad';
      readonly op: MemoryOp;
      readonly offset: number;
      readonly address: Value;
      readonly guard: Value;
      readonly volatile: boolean;
    };

export type Statement =
  | { readonly kind: 'define'; readonly value: Value }
  | { readonly kind: 'assign'; readonly local: Local; readonly value: Value }
  /** `write` follows the operands on the stack and leaves nothing. */
  | { readonly kind: 'effect'; readonly operands: readonly Value[]; write(f: FunctionBuilder): void }
  | { readonly kind: 'when'; readonly condition: Value; readonly scope: Scope }
  | {
      readonly kind: 'loop';
      readonly local: Local;
      readonly from: Value;
      readonly to: Value;
      /** From `to - 1` down to `from`. */
      readonly reverse: boolean;
      /** The first turn is not asked about. */
      readonly atLeastOnce: boolean;
      readonly scope: Scope;
    }
  /** Repeats as long as the condition, which the body computes, is not 0. */
  | { readonly kind: 'repeat'; readonly condition: Value; readonly scope: Scope };

/** A body of statements. */
export interface Scope {
  readonly depth: number;
  readonly statements: Statement[];
}

/** The values that a form needs. */
export function operandsOf(form: ValueForm): readonly Value[] {
  if (form.kind === 'operation' || form.kind === 'inline') return form.operands;
  if (form.kind === 'guardedLoad') return [form.guard, form.address];
  return [];
}

/** The values that a statement needs itself; a `define` needs its value only if someone else does. */
export function valuesOf(statement: Statement): readonly Value[] {
  switch (statement.kind) {
    case 'define':
      return [];
    case 'assign':
      return [statement.value];
    case 'effect':
      return statement.operands;
    case 'when':
    case 'repeat':
      return [statement.condition];
    case 'loop':
      return [statement.from, statement.to];
  }
}

const resultTypes = new Map<string, ValueType>();

/** The type that an instruction leaves on the stack. */
export function resultType(op: PlainOp | MemoryOp, operands: readonly Value[]): ValueType {
  if (op === 'select') return (operands[0] as Value).type;
  let type = resultTypes.get(op);
  if (type === undefined) {
    type = typeNamed(op);
    resultTypes.set(op, type);
  }
  return type;
}

/** The type that an instruction's name says. */
function typeNamed(op: PlainOp | MemoryOp): ValueType {
  if (/^[if]\d+\.(eqz|eq|ne|[lg][te](_[su])?)$/.test(op) || /(any_true|all_true|bitmask)$/.test(op)) return 'i32';
  const prefix = op.slice(0, 3);
  return op[3] === '.' && prefix !== 'v12' ? (prefix as ValueType) : 'v128';
}
