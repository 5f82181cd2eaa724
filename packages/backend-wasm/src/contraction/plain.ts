import type { Contraction, Stage } from '@evenkeel/tensor/kernel';
import type { EmittedKernel } from '../emitted-kernel.ts';
import type { KernelContext } from '../kernel-context.ts';
import { emitRow } from '../row.ts';

/** Contractions of float64 and whole numbers: a row kernel, whose rows are the products that make one sum. */
export function emitPlainContraction(kernel: Contraction, context: KernelContext): EmittedKernel {
  const { operands, arguments: given, batch, m, n, k, a, b, dtype, stores } = kernel;
  const stages: Stage[] = [
    { kind: 'reduce', op: 'sum', value: { kind: 'binary', dtype, op: 'mul', left: a, right: b } },
    ...stores.map((store): Stage => ({ kind: 'store', domain: 'row', store })),
  ];
  return emitRow({ kind: 'row', operands, arguments: given, outer: [...batch, ...m, ...n], inner: k, stages }, context);
}
