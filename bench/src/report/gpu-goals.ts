import type { Result } from '../results.ts';

/** What we want of a graphics card, and where we stand. */
export interface GpuGoal {
  readonly what: string;
  readonly unit: 'TFLOP/s' | 'share' | 'µs';
  /** Least or, for times, most. */
  readonly wanted?: number;
  /** From figures by the wall clock, or by the device's own where `figure` takes those. */
  measure(results: readonly Result[], figure: (result: Result) => number | undefined): number | undefined;
}

/** Products in float32 without tensor cores, in 10^12 operations a second, of devices whose makers tell. */
const peaks: readonly { readonly device: RegExp; readonly teraflops: number }[] = [
  { device: /\bH[12]00\b/i, teraflops: 67 },
];

const ours = 'evenkeel-webgpu';
const largestProduct = 'sgemm-4096';

function find(results: readonly Result[], work: string, implementation: string): Result | undefined {
  return results.find((one) => one.work === work && one.implementation === implementation);
}

const teraflops: GpuGoal['measure'] = (results, figure) => {
  const own = find(results, largestProduct, ours);
  const value = own && figure(own);
  return value === undefined ? undefined : value / 1000;
};

export const gpuGoals: readonly GpuGoal[] = [
  { what: 'product of 4096 x 4096, float32', unit: 'TFLOP/s', wanted: 20, measure: teraflops },
  {
    what: "the same, share of the card's float32 peak",
    unit: 'share',
    measure(results, figure) {
      const value = teraflops(results, figure);
      // Not every library tells the model.
      const peak = peaks.find((one) => results.some(({ device = '' }) => one.device.test(device)));
      return value === undefined || peak === undefined ? undefined : value / peak.teraflops;
    },
  },
  {
    what: 'the same, share of cuBLAS without TF32',
    unit: 'share',
    wanted: 0.5,
    measure(results, figure) {
      const value = teraflops(results, figure);
      const blas = find(results, largestProduct, 'pytorch-cuda');
      return value === undefined || blas === undefined ? undefined : (1000 * value) / blas.median;
    },
  },
  {
    what: 'mp-silu-sum on arrays of 512 MiB, share of copy bandwidth',
    unit: 'share',
    wanted: 0.8,
    measure(results, figure) {
      const own = find(results, 'mp-silu-sum', ours);
      const value = own && figure(own);
      const copies = results.filter(({ work }) => work === 'copy').map(({ median }) => median);
      return value === undefined || copies.length === 0 ? undefined : value / Math.max(...copies);
    },
  },
  {
    what: 'host time for a kernel of a compiled training step',
    unit: 'µs',
    wanted: 15,
    measure: (results) => find(results, 'edm2-host-time-per-kernel', ours)?.median,
  },
];

export function isGpuGoalReached({ unit, wanted }: GpuGoal, value: number): boolean | undefined {
  if (wanted === undefined) return undefined;
  return unit === 'µs' ? value <= wanted : value >= wanted;
}
