import type { Work } from './work.ts';

/** Small matrix products, each of the last one's result: nearly all of it is what a kernel costs beside its arithmetic. */
export function chain(count: number, size: number): Work {
  const shape = [size, size];
  return {
    name: `chain-${count}x${size}`,
    task: { kind: 'chain', count, size },
    unit: 'µs',
    amount: count,
    flops: 2 * count * size ** 3,
    inputs: [
      { name: 'x', shape },
      // So that results stay about as large.
      { name: 'w', shape, fill: (_, normal) => normal() / Math.sqrt(size) },
    ],
    results: [size * size],
    tolerance: 0,
    agreement: 1e-4,
  };
}
