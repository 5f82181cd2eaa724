import type { Kernel } from '@evenkeel/tensor/kernel';
import { emitContraction } from './contraction/contraction.ts';
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
      return emitContraction(kernel, context);
    case 'scatterAdd':
      return emitScatterAdd(kernel, context);
  }
}
