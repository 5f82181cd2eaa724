import type { Work } from './work.ts';

/** Attention of all heads of a batch: two matrix products around a softmax. */
export function attention(batch: number, heads: number, positions: number, channels: number): Work {
  const shape = [batch, heads, positions, channels];
  const flops = 4 * batch * heads * positions ** 2 * channels;
  return {
    name: `attention-${shape.join('x')}`,
    task: { kind: 'attention', batch, heads, positions, channels },
    unit: 'GFLOP/s',
    amount: flops,
    flops,
    inputs: ['query', 'key', 'value'].map((name) => ({ name, shape })),
    results: [batch * heads * positions * channels],
    exact([query, key, value], index) {
      const channel = index % channels;
      const row = Math.floor(index / channels);
      const head = Math.floor(row / positions) * positions * channels;
      const logits = Array.from({ length: positions }, (_, position) => {
        let sum = 0;
        for (let c = 0; c < channels; c++) {
          sum += (query as Float32Array)[row * channels + c]! * (key as Float32Array)[head + position * channels + c]!;
        }
        return sum / Math.sqrt(channels);
      });
      const largest = Math.max(...logits);
      let [total, mixed, magnitude] = [0, 0, 0];
      logits.forEach((logit, position) => {
        const weight = Math.exp(logit - largest);
        const product = weight * (value as Float32Array)[head + position * channels + channel]!;
        total += weight;
        mixed += product;
        magnitude += Math.abs(product);
      });
      return { value: mixed / total, magnitude: magnitude / total };
    },
    tolerance: 1e-5,
    agreement: 1e-5,
  };
}
