import { type HostArray, readNpz, readSafetensors, writeNpz, writeSafetensors } from '@evenkeel/formats';
import type { FeatureStatistics } from './feature-statistics.ts';

/** Features of images, one row each. */
export interface FeatureRows {
  readonly featureDim: number;
  /** `[N, featureDim]`. */
  readonly rows: Float32Array;
}

/** What is known of a set of images, for each metric: all that it takes to measure another set against it. */
export interface ImageSetStatistics {
  /** Images in the set; undefined where a file does not say. */
  readonly count?: number;
  /** For metrics of means and covariances, by metric. */
  readonly moments: ReadonlyMap<string, FeatureStatistics>;
  /** For metrics of features themselves, by metric. */
  readonly features: ReadonlyMap<string, FeatureRows>;
}

/**
 * Statistics as one file: arrays `num_images`, `fid.mu`, `fid.sigma`, ... in float64, and `kid.features` in float32.
 *
 * @param form of NumPy (`npz`) or safetensors.
 * @example
 * ```ts
 * const moments = new Map([['fid', { mean: Float64Array.of(1, 2), covariance: Float64Array.of(1, 0, 0, 1) }]]);
 * const bytes = encodeStatistics({ count: 10, moments, features: new Map() }, 'npz');
 * decodeStatistics(bytes).moments.get('fid')?.mean; // [1, 2]
 * ```
 */
export function encodeStatistics(statistics: ImageSetStatistics, form: 'npz' | 'safetensors'): Uint8Array {
  const { count, moments, features } = statistics;
  const arrays: [string, HostArray][] = [];
  if (count !== undefined) arrays.push(['num_images', { dtype: 'int32', shape: [], data: Int32Array.of(count) }]);
  for (const [metric, { mean, covariance }] of moments) {
    const size = mean.length;
    arrays.push([`${metric}.mu`, { dtype: 'float64', shape: [size], data: mean }]);
    arrays.push([`${metric}.sigma`, { dtype: 'float64', shape: [size, size], data: covariance }]);
  }
  for (const [metric, { featureDim, rows }] of features) {
    arrays.push([
      `${metric}.features`,
      { dtype: 'float32', shape: [rows.length / featureDim, featureDim], data: rows },
    ]);
  }
  return form === 'npz' ? writeNpz(arrays) : writeSafetensors(arrays);
}

/**
 * Reads what {@link encodeStatistics} wrote, in either form, and the `.npz` of published FID statistics, which holds `mu` and
 * `sigma`.
 *
 * @throws Error, one line naming the file, when it is damaged or holds no statistics.
 * @example
 * ```ts
 * const mu = { dtype: 'float64', shape: [1], data: Float64Array.of(3) } as const;
 * const published = writeNpz([['mu', mu], ['sigma', { ...mu, shape: [1, 1] }]]);
 * decodeStatistics(published, 'cifar10-32x32.npz').moments.get('fid')?.mean; // [3]
 * ```
 */
export function decodeStatistics(bytes: Uint8Array, file = 'statistics'): ImageSetStatistics {
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b;
  const arrays = isZip ? readNpz(bytes, { file }) : readSafetensors(bytes, { file }).tensors;
  const moments = new Map<string, FeatureStatistics>();
  const features = new Map<string, FeatureRows>();
  const stored = arrays.get('num_images')?.data[0];
  const count = stored === undefined ? undefined : Number(stored);
  for (const [name, array] of arrays) {
    const [, metric, part] = /^(?:(.+)\.)?(mu|features)$/.exec(name) ?? [];
    if (part === 'mu') {
      const sigma = arrays.get(metric === undefined ? 'sigma' : `${metric}.sigma`);
      moments.set(metric ?? 'fid', { ...(count !== undefined && { count }), ...momentsOf(array, sigma, name, file) });
    } else if (part === 'features' && metric !== undefined) {
      const [rows, featureDim] = array.shape;
      if (array.shape.length !== 2 || !rows || !featureDim || !(array.data instanceof Float32Array)) {
        throw new Error(`${file}: ${name} is ${array.dtype} [${array.shape.join(', ')}], wanted float32 [N, D]`);
      }
      features.set(metric, { featureDim, rows: array.data });
    }
  }
  if (moments.size + features.size === 0) {
    const names = [...arrays.keys()].slice(0, 4).join(', ') || 'nothing';
    throw new Error(`${file}: holds no statistics of images (no 'mu' or 'fid.mu'), but ${names}`);
  }
  return { ...(count !== undefined && { count }), moments, features };
}

function momentsOf(mu: HostArray, sigma: HostArray | undefined, name: string, file: string): FeatureStatistics {
  const size = mu.data.length;
  if (sigma === undefined || mu.shape.length !== 1 || sigma.shape.join() !== `${size},${size}`) {
    const got = sigma === undefined ? 'no covariance' : `a covariance [${sigma.shape.join(', ')}]`;
    throw new Error(`${file}: ${name} [${mu.shape.join(', ')}] comes with ${got}, wanted [${size}, ${size}]`);
  }
  return { mean: Float64Array.from(mu.data, Number), covariance: Float64Array.from(sigma.data, Number) };
}
