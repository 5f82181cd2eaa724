import type { Kernel } from '@evenkeel/tensor/kernel';
import { printContraction } from './contraction.ts';
import type { Launch } from './launch.ts';
import { Refusal } from './refusal.ts';
import { printRow } from './row.ts';
import { printScatterAdd } from './scatter.ts';
import type { Traits } from './traits.ts';

/** A kernel as launches in order, or why there is none. */
export function printKernel(kernel: Exclude<Kernel, { kind: 'host' }>, traits: Traits): readonly Launch[] | string {
  const { mostArrays } = traits;
  try {
    const launches = print(kernel, traits);
    const most = Math.max(0, ...launches.map(({ arrays }) => arrays.length));
    return most > mostArrays ? `it reads ${most} buffers, gpu.js passes ${mostArrays} in this mode` : launches;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

function print(kernel: Exclude<Kernel, { kind: 'host' }>, traits: Traits): Launch[] {
  switch (kernel.kind) {
    case 'row':
      return printRow(kernel);
    case 'contraction':
      return printContraction(kernel, traits);
    case 'scatterAdd':
      return printScatterAdd(kernel);
  }
}
