import type { Operand } from '@evenkeel/tensor/kernel';

/** Elements of some axes. */
export function count(sizes: readonly number[]): number {
  return sizes.reduce((product, size) => product * size, 1);
}

/** Numbers of the operands that are written. */
export function writtenOperands(operands: readonly Operand[]): Set<number> {
  return new Set(operands.flatMap(({ access }, i) => (access === 'in' ? [] : [i])));
}
