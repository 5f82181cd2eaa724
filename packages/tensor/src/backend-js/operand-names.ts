import type { Operand } from '../kernel/ir.ts';

/** How a kernel's operands are called in printed code: `in0`, `out1`, `inout2`. */
export function operandNames(operands: readonly Operand[]): string[] {
  return operands.map(({ access }, number) => `${access}${number}`);
}
