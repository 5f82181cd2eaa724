import { conv2d, convTranspose2d, type DType, showShape, type Tensor, tensor } from '@evenkeel/tensor';

/** What {@link resample} does to the spatial axes: nothing, halve or double them. */
export type ResampleMode = 'keep' | 'down' | 'up';

/** Options of {@link resample}. */
export interface ResampleOptions {
  /** @defaultValue 'keep' */
  readonly mode?: ResampleMode;
  /** Taps of the separable filter, an even number of them; only their ratios count. @defaultValue [1, 1] */
  readonly filter?: readonly number[];
}

/**
 * Resamples `x`, `[N, C, H, W]`, by a fixed filter on each channel.
 *
 * With taps f scaled to sum 1, `K = outer(f, f)` and padding `floor((taps - 1) / 2)`: `down` correlates with K at
 * stride 2 (the default filter averages 2x2 pixels), `up` is the transposed convolution with `4 K` at stride 2 (the
 * default repeats each pixel 2x2), `keep` is the identity. Averaging is meant not to preserve the magnitude of white
 * noise: it halves it.
 *
 * Source: arXiv 2312.02696, appendix B.1 (the box filter).
 *
 * @throws when the filter has an odd number of taps or sums to 0, or `x` is not of rank 4.
 * @example
 * ```ts
 * resample(zeros([8, 3, 16, 16]), { mode: 'down' }); // [8, 3, 8, 8]
 * ```
 */
export function resample<D extends DType>(x: Tensor<D>, options: ResampleOptions = {}): Tensor<D> {
  const { mode = 'keep', filter = [1, 1] } = options;
  const sum = filter.reduce((total, tap) => total + tap, 0);
  if (filter.length === 0 || filter.length % 2 !== 0 || sum === 0) {
    throw new Error(`resample: filter [${filter.join(', ')}] must have an even number of taps and a sum other than 0`);
  }
  if (x.rank !== 4) throw new Error(`resample: needs [N, C, H, W], got ${showShape(x.shape)}`);
  if (mode === 'keep') return x;
  if (mode !== 'down' && mode !== 'up') throw new Error(`resample: mode '${mode}' is none of keep, down and up`);
  const box = filter.length === 2 && filter[0] === filter[1];
  if (box) return mode === 'down' ? averagePairs(x) : repeatPairs(x);
  const taps = filter.map((tap) => tap / sum);
  const channels = x.shape[1] as number;
  const gain = mode === 'up' ? 4 : 1;
  const kernel = tensor(
    taps.map((a) => taps.map((b) => a * b * gain)),
    { dtype: x.dtype },
  );
  const weight = kernel.reshape([1, 1, taps.length, taps.length]).expand([channels, 1, taps.length, taps.length]);
  const settings = { stride: 2, padding: taps.length / 2 - 1, groups: channels };
  return mode === 'down' ? conv2d(x, weight, settings) : convTranspose2d(x, weight, settings);
}

function averagePairs<D extends DType>(x: Tensor<D>): Tensor<D> {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [rows, columns] = [Math.floor(height / 2), Math.floor(width / 2)];
  const even = height % 2 === 0 && width % 2 === 0 ? x : x.slice(null, null, [0, rows * 2], [0, columns * 2]);
  return even.reshape([batch, channels, rows, 2, columns, 2]).mean([3, 5]);
}

function repeatPairs<D extends DType>(x: Tensor<D>): Tensor<D> {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  return x
    .reshape([batch, channels, height, 1, width, 1])
    .expand([batch, channels, height, 2, width, 2])
    .reshape([batch, channels, height * 2, width * 2]);
}
