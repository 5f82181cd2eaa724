import type { Work } from './work.ts';

/** A plain copy of as many bytes as elementwise works have: the speed of memory. */
export function copy(length = 2 ** 22): Work {
  return {
    name: 'copy',
    task: { kind: 'copy', length },
    unit: 'GB/s',
    amount: 8 * length,
    flops: 0,
    inputs: [{ name: 'x', shape: [length], fill: 'uniform' }],
    results: [length],
    exact: ([x], index) => ({ value: (x as Float32Array)[index]!, magnitude: 0 }),
    tolerance: 0,
    agreement: 0,
  };
}
