import type { Kernel } from '@evenkeel/tensor/kernel';
import { printContraction } from './contraction.ts';
import type { Launch } from './launch.ts';
import { Refusal } from './refusal.ts';
import { printRow } from './row.ts';
import { printScatterAdd } from './scatter.ts';

/**
 * A kernel as launches in order, or why there is none.
 *
 * @param mostArrays that a launch may read.
 */
export function printKernel(kernel: Exclude<Kernel, { kind: 'host' }>, mostArrays: number): readonly Launch[] | string {
  try {
    const launches = print(kernel);
    const most = Math.max(0, ...launches.map(({ arrays }) => arrays.length));
    return most > mostArrays ? `it reads ${most} buffers, gpu.js passes ${mostArrays} in this mode` : launches;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

function print(kernel: Exclude<Kernel, { kind: 'host' }>): Launch[] {
  switch (kernel.kind) {
    case 'row':
      return printRow(kernel);
    case 'contraction':
      return printContraction(kernel);
    case 'scatterAdd':
      return printScatterAdd(kernel);
  }
}
