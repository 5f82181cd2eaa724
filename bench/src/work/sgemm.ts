import type { Work } from './work.ts';

/** C = A B with A `[m, k]` and B `[k, n]`. */
export function sgemm(m: number, n = m, k = m): Work {
  return {
    name: `sgemm-${m === n && n === k ? m : `${m}x${n}x${k}`}`,
    task: { kind: 'sgemm', m, n, k },
    unit: 'GFLOP/s',
    amount: 2 * m * n * k,
    flops: 2 * m * n * k,
    inputs: [
      { name: 'a', shape: [m, k] },
      { name: 'b', shape: [k, n] },
    ],
    results: [m * n],
    exact([a, b], index) {
      const [row, column] = [Math.floor(index / n), index % n];
      let [value, magnitude] = [0, 0];
      for (let i = 0; i < k; i++) {
        const product = (a as Float32Array)[row * k + i]! * (b as Float32Array)[i * n + column]!;
        value += product;
        magnitude += Math.abs(product);
      }
      return { value, magnitude };
    },
    tolerance: 2e-6,
    agreement: 1e-5,
  };
}
