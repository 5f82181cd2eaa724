/** What a metric compares: which features, and how. */
export interface Metric {
  readonly name: string;
  /** As people write it. */
  readonly title: string;
  readonly extractor: ExtractorName;
  /** `frechet` needs means and covariances of a reference, `kernel` its features themselves. */
  readonly distance: 'frechet' | 'kernel';
}

/** The networks that features come from. */
export type ExtractorName = 'inception' | 'dinov2' | 'emoji16';

const all: readonly Metric[] = [
  { name: 'fid', title: 'FID', extractor: 'inception', distance: 'frechet' },
  { name: 'kid', title: 'KID', extractor: 'inception', distance: 'kernel' },
  { name: 'fd_dinov2', title: 'FD-DINOv2', extractor: 'dinov2', distance: 'frechet' },
  { name: 'kid_dinov2', title: 'KD-DINOv2', extractor: 'dinov2', distance: 'kernel' },
  { name: 'fd_small', title: 'FD-small', extractor: 'emoji16', distance: 'frechet' },
  { name: 'kid_small', title: 'KD-small', extractor: 'emoji16', distance: 'kernel' },
];

/**
 * All metrics by name. FID and KID are named so for the published Inception network alone; FD-small, of the classifier of
 * emoji in this package, is on a scale of its own and says something of emoji only.
 *
 * @example
 * ```ts
 * [...metrics.keys()]; // ['fid', 'kid', 'fd_dinov2', 'kid_dinov2', 'fd_small', 'kid_small']
 * metrics.get('fd_small')?.title; // 'FD-small'
 * ```
 */
export const metrics: ReadonlyMap<string, Metric> = new Map(all.map((metric) => [metric.name, metric]));
