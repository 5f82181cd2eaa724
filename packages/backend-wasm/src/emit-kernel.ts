import type { Contraction, Kernel, RowKernel } from '@evenkeel/tensor/kernel';
import type { EmittedKernel } from './emitted-kernel.ts';
import type { KernelContext } from './kernel-context.ts';
import { emitRow } from './row.ts';
import { emitScatterAdd } from './scatter.ts';

/** Any kernel but a host step as functions of the context's module. */
export function emitKernel(kernel: Exclude<Kernel, { kind: 'host' }>, context: KernelContext): EmittedKernel {
  switch (kernel.kind) {
    case 'row':
      return emitRow(kernel, context);
    case 'contraction':
      return emitRow(asRow(kernel), context);
    case 'scatterAdd':
      return emitScatterAdd(kernel, context);
  }
}

/** A contraction as a sum over rows: right for all, good for small ones. */
function asRow({ batch, m, n, k, a, b, dtype, stores, ...kernel }: Contraction): RowKernel {
  const product = { kind: 'binary', dtype, op: 'mul', left: a, right: b } as const;
  const sum = { kind: 'stage', dtype, stage: 0 } as const;
  const replaced = new Map<unknown, unknown>();
  const replace = <T>(part: T): T => {
    if (typeof part !== 'object' || part === null) return part;
    let known = replaced.get(part);
    if (known === undefined) {
      if ((part as { kind?: string }).kind === 'accumulator') known = sum;
      else if (Array.isArray(part)) known = part.map(replace);
      else known = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, replace(value)]));
      replaced.set(part, known);
    }
    return known as T;
  };
  return {
    kind: 'row',
    operands: kernel.operands,
    arguments: kernel.arguments,
    outer: [...batch, ...m, ...n],
    inner: k,
    stages: [
      { kind: 'reduce', op: 'sum', value: product },
      ...stores.map((store) => ({ kind: 'store', domain: 'row', store: replace(store) }) as const),
    ],
  };
}
