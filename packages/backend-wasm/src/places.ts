import type { Place } from './indices.ts';
import type { KernelSignature } from './kernel-context.ts';
import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';

/** Where the operands of a kernel are: their addresses come from its table. */
export function placesOf(builder: LoopBuilder, { operands }: KernelSignature, table: Value): Place[] {
  return operands.map(({ dtype, access }, operand) => ({
    dtype,
    address: builder.load('i32.load', table, { offset: 4 * operand }),
    isWritten: access !== 'in',
  }));
}
