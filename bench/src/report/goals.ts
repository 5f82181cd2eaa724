import { geometricMean } from '../measure/statistics.ts';
import type { Result } from '../results.ts';
import { ratioOf } from './ratio.ts';

/** Something that we want to reach, and where we stand. */
export interface Goal {
  readonly what: string;
  /** Least or, for times, most. */
  readonly wanted: { readonly wide: number; readonly node20: number };
  readonly unit: 'times' | 'ms' | 'share';
  /** The figure of `ours`, and the smallest of its parts where it is a mean; undefined where something was not measured. */
  measure(results: readonly Result[], ours: string): { readonly value: number; readonly least?: number } | undefined;
}

type Ratio = (results: readonly Result[], ours: string) => { value: number; least?: number } | undefined;

function find(results: readonly Result[], work: string, implementation: string, threads: number): Result | undefined {
  return results.find((one) => one.work === work && one.implementation === implementation && one.threads === threads);
}

/** The mean over all works that match, of how many times as fast as a peer we are; its own instructions unless told. */
function timesAsFast(works: RegExp, peer: string, threads: number): Ratio {
  return (results, ours) => {
    const ratios = results
      .filter((one) => works.test(one.work) && one.implementation === ours && one.threads === threads)
      .flatMap((own) => {
        const other =
          find(results, own.work, peer, threads) ?? (threads > 1 ? find(results, own.work, peer, 1) : undefined);
        return other === undefined ? [] : [ratioOf(own, other)];
      });
    return ratios.length === 0 ? undefined : { value: geometricMean(ratios), least: Math.min(...ratios) };
  };
}

/** Our gain from a second thread as a share of a peer's. */
function scaling(works: readonly string[], peer: string): Ratio {
  return (results, ours) => {
    const shares = works.flatMap((work) => {
      const [a, b, c, d] = [
        find(results, work, ours, 2),
        find(results, work, ours, 1),
        find(results, work, peer, 2),
        find(results, work, peer, 1),
      ];
      return a && b && c && d ? [ratioOf(a, b) / ratioOf(c, d)] : [];
    });
    return shares.length === 0 ? undefined : { value: geometricMean(shares), least: Math.min(...shares) };
  };
}

function shareOfCopy(works: readonly string[]): Ratio {
  return (results, ours) => {
    const copied = find(results, 'copy', 'memcpy', 1);
    const shares = works.flatMap((work) => {
      const own = find(results, work, ours, 1);
      return own && copied ? [own.median / copied.median] : [];
    });
    return shares.length === 0 ? undefined : { value: geometricMean(shares), least: Math.min(...shares) };
  };
}

function figure(work: string): Ratio {
  return (results, ours) => {
    const own = results.find((one) => one.work === work && one.implementation === ours);
    return own === undefined ? undefined : { value: own.median };
  };
}

const large = /^sgemm-(512|1024|2048)$/;

/** What the project set out to reach, in Nodes with 256-bit instructions and in Node 20. */
export const goals: readonly Goal[] = [
  {
    what: 'sgemm 512 to 2048, 1 thread, share of OpenBLAS',
    wanted: { wide: 0.9, node20: 0.4 },
    unit: 'share',
    measure: timesAsFast(large, 'openblas', 1),
  },
  {
    what: 'the same, of OpenBLAS held to AVX2',
    wanted: { wide: 0.9, node20: 0.4 },
    unit: 'share',
    measure: timesAsFast(large, 'openblas-avx2', 1),
  },
  {
    what: "sgemm 1024 and 2048, gain of 2 threads, share of OpenBLAS's",
    wanted: { wide: 0.9, node20: 0.9 },
    unit: 'share',
    measure: scaling(['sgemm-1024', 'sgemm-2048'], 'openblas'),
  },
  ...(['pytorch', 'pytorch-avx2'] as const).flatMap((peer): Goal[] => {
    const held = peer === 'pytorch' ? 'PyTorch' : 'PyTorch held to AVX2';
    const conv = (role: string, wide: number): Goal => ({
      what: `conv 3x3 ${role.replace('-', ' ')} over ${held}, 1 thread`,
      wanted: { wide, node20: 0.75 },
      unit: 'times',
      measure: timesAsFast(new RegExp(`^conv3x3-.*-${role}$`), peer, 1),
    });
    return [
      conv('forward', 1.5),
      conv('input-gradient', 1.4),
      conv('weight-gradient', 1.3),
      {
        what: `conv 1x1, all roles, over ${held}, 1 thread`,
        wanted: { wide: 0.95, node20: 0.45 },
        unit: 'times',
        measure: timesAsFast(/^conv1x1-/, peer, 1),
      },
      {
        what: `EDM2 training step over ${held}, 2 threads`,
        wanted: { wide: 1.2, node20: 0.6 },
        unit: 'times',
        measure: timesAsFast(/^edm2-train-step$/, peer, 2),
      },
    ];
  }),
  {
    what: 'mp_silu, pixel norm, weight norm, 1 thread, share of copy bandwidth',
    wanted: { wide: 0.7, node20: 0.35 },
    unit: 'share',
    measure: shareOfCopy(['mp-silu', 'pixel-norm', 'weight-norm']),
  },
  {
    what: 'EDM2 block forward + backward over jax-js, 2 threads (it has one)',
    wanted: { wide: 20, node20: 20 },
    unit: 'times',
    measure: timesAsFast(/^edm2-.*-block-/, 'jax-js', 2),
  },
  {
    what: 'EDM2 block forward + backward over TensorFlow.js cpu, 2 threads (it has one)',
    wanted: { wide: 50, node20: 50 },
    unit: 'times',
    measure: timesAsFast(/^edm2-.*-block-/, 'tfjs-cpu', 2),
  },
  {
    what: 'training step: wall time less busy time of the workers',
    wanted: { wide: 3, node20: 5 },
    unit: 'ms',
    measure: figure('edm2-host-overhead'),
  },
  {
    what: 'first training step of a small network, from import',
    wanted: { wide: 1500, node20: 2000 },
    unit: 'ms',
    measure: figure('edm2-first-step'),
  },
];

/** Whether a goal is reached; of a mean, no part may be below 0.8 of what is wanted. */
export function isReached(
  unit: Goal['unit'],
  wanted: number,
  { value, least }: { value: number; least?: number },
): boolean {
  return unit === 'ms' ? value <= wanted : value >= wanted && (least === undefined || least >= 0.8 * wanted);
}
