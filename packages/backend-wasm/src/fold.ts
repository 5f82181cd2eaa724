import type { PlainOp } from './encoder.ts';
import type { Value } from './loop-values.ts';

const operations: Partial<Record<PlainOp, (a: number, b: number) => number>> = {
  'i32.add': (a, b) => a + b,
  'i32.sub': (a, b) => a - b,
  'i32.mul': Math.imul,
  'i32.shl': (a, b) => a << b,
  'i32.and': (a, b) => a & b,
  'i32.or': (a, b) => a | b,
  'i32.eqz': (a) => (a === 0 ? 1 : 0),
};

/** Whole-number arithmetic that is known while code is made: a number, one of the operands, or undefined. */
export function foldInteger(op: PlainOp, operands: readonly Value[]): number | Value | undefined {
  const evaluate = operations[op];
  if (!evaluate) return undefined;
  const [left, right] = operands as [Value, Value | undefined];
  const [a, b] = [numberOf(left), right && numberOf(right)];
  if (a !== undefined && (b !== undefined || !right)) return evaluate(a, b ?? 0) | 0;
  if (op === 'i32.add' && a === 0) return right;
  if (b === 0 && (op === 'i32.add' || op === 'i32.sub' || op === 'i32.shl' || op === 'i32.or')) return left;
  if (op === 'i32.mul' && b === 1) return left;
  return undefined;
}

function numberOf({ form }: Value): number | undefined {
  return form.kind === 'number' ? form.value : undefined;
}
