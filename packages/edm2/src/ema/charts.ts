import { chartColors, lineChart, type Series } from '../plot/line-chart.ts';
import { fitPostHoc } from './fit.ts';
import { solvePostHoc } from './post-hoc.ts';
import { type EmaProfile, sampledResponse } from './profile.ts';

/** Options of {@link profileChart}. */
export interface ProfileChartOptions {
  /** Averages that are stored. With them, what they make of each profile is drawn too. */
  readonly snapshots?: readonly EmaProfile[];
  /** Moments of training that are drawn. @defaultValue 256 */
  readonly moments?: number;
  readonly title?: string;
}

/**
 * The weight that averages give to each moment of training, as an SVG document: those wanted, and pale behind them those
 * that snapshots make up.
 *
 * Source: arXiv 2312.02696, figures 4 and 14.
 *
 * @throws RangeError when a time or length is out of range.
 * @example
 * ```ts
 * const snapshots = [1024, 2048].flatMap((images) => [0.05, 0.1].map((std) => ({ images, std })));
 * profileChart([{ images: 2048, std: 0.07 }], { snapshots }).slice(0, 4); // '<svg'
 * ```
 */
export function profileChart(profiles: readonly EmaProfile[], options: ProfileChartOptions = {}): string {
  const { snapshots = [], moments = 256 } = options;
  const fitted = snapshots.length === 0 ? '' : `; pale, what ${snapshots.length} snapshots make of them`;
  const { title = `Averaging profiles${fitted}` } = options;
  const latest = Math.max(...[...profiles, ...snapshots].map(({ images }) => images));
  const inMoments = ({ images, std }: EmaProfile): EmaProfile => ({ images: (images / latest) * (moments - 1), std });
  const response = (profile: EmaProfile) => sampledResponse(inMoments(profile), moments);
  const points = (values: Float64Array) => Array.from(values, (y, i) => [(i / (moments - 1)) * latest, y] as const);
  const made = (target: EmaProfile): Float64Array => {
    const weights = solvePostHoc(snapshots, [target]).data;
    const sum = new Float64Array(moments);
    snapshots.forEach((snapshot, i) => {
      response(snapshot).forEach((value, moment) => {
        sum[moment]! += weights[i]! * value;
      });
    });
    return sum;
  };
  const curves = profiles.map((profile) => ({ label: `${profile.std}`, points: points(response(profile)) }));
  const fits: Series[] =
    snapshots.length === 0
      ? []
      : profiles.map((profile, i) => ({
          label: '',
          points: points(made(profile)),
          color: chartColors[i % chartColors.length] as string,
          faint: true,
        }));
  return lineChart([...curves, ...fits], { title, xLabel: 'images', yLabel: 'weight', legend: 'left' });
}

/** Options of {@link reconstructionErrorChart}. */
export interface ReconstructionErrorOptions {
  /** Lengths that are tracked. @defaultValue [0.05, 0.1] */
  readonly tracked?: readonly number[];
  /** Lengths to be made. @defaultValue [0.03, 0.07, 0.15, 0.2, 0.25] */
  readonly targets?: readonly number[];
  /** Times at which snapshots are taken, evenly spaced, as many as each entry says. @defaultValue powers of 2 to 64 */
  readonly counts?: readonly number[];
}

/**
 * How far an average that snapshots make up is from the one wanted, for ever more snapshots: the L2 distance of their
 * profiles over the norm of the latter. Exact, by inner products. One row for each count, one entry for each target.
 *
 * Source: arXiv 2312.02696, section 3.2 and appendix C.
 *
 * @throws RangeError when a length is out of range.
 * @example
 * ```ts
 * reconstructionErrors({ targets: [0.07], counts: [8] }); // [[0.01348]]
 * ```
 */
export function reconstructionErrors(options: ReconstructionErrorOptions = {}): number[][] {
  const { tracked, targets, counts } = withDefaults(options);
  return counts.map((count) => {
    const snapshots = Array.from({ length: count }, (_, i) => i + 1).flatMap((images) =>
      tracked.map((std) => ({ images, std })),
    );
    return targets.map((std) => fitPostHoc(snapshots, { images: count, std }).error);
  });
}

/**
 * {@link reconstructionErrors} as curves on logarithmic axes, an SVG document.
 *
 * @throws RangeError when a length is out of range.
 * @example
 * ```ts
 * reconstructionErrorChart({ counts: [2, 4, 8] }).slice(0, 4); // '<svg'
 * ```
 */
export function reconstructionErrorChart(options: ReconstructionErrorOptions = {}): string {
  const { tracked, targets, counts } = withDefaults(options);
  const errors = reconstructionErrors(options);
  const series = targets.map((std, i) => ({
    label: String(std),
    points: counts.map((count, row) => [Math.log2(count), Math.log10(errors[row]![i]!)] as const),
  }));
  return lineChart(series, {
    title: `Error of averages made from snapshots of ${tracked.join(' and ')}`,
    xLabel: 'log2 of the number of times at which snapshots were taken',
    yLabel: 'log10 of the relative error',
  });
}

function withDefaults(options: ReconstructionErrorOptions): Required<ReconstructionErrorOptions> {
  return {
    tracked: options.tracked ?? [0.05, 0.1],
    targets: options.targets ?? [0.03, 0.07, 0.15, 0.2, 0.25],
    counts: options.counts ?? [1, 2, 4, 8, 16, 32, 64],
  };
}
