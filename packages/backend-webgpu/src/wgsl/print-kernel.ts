import type { Kernel } from '@evenkeel/tensor/kernel';
import { printContraction } from './contraction/contraction.ts';
import type { DeviceTraits } from './device-traits.ts';
import type { PrintedKernel } from './printed-kernel.ts';
import { printRow } from './row.ts';
import { printScatterAdd } from './scatter.ts';

/** A kernel in WGSL. */
export function printKernel(kernel: Exclude<Kernel, { kind: 'host' }>, traits: DeviceTraits): PrintedKernel {
  switch (kernel.kind) {
    case 'row':
      return printRow(kernel, traits);
    case 'contraction':
      return printContraction(kernel, traits);
    case 'scatterAdd':
      return printScatterAdd(kernel, traits);
  }
}
