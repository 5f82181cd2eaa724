import { type Matrix, solveLinear } from './linear-solve.ts';
import { type EmaProfile, exponentOfStd } from './profile.ts';

/**
 * The inner product of two averaging profiles over all of time, in closed form.
 *
 * Source: arXiv 2312.02696, equation 151.
 *
 * @throws RangeError when a time or length is out of range.
 *
 * @example
 * ```ts
 * profileInnerProduct({ images: 1000, std: 0.1 }, { images: 1000, std: 0.1 }); // 0.004235
 * ```
 */
export function profileInnerProduct(a: EmaProfile, b: EmaProfile): number {
  return innerProduct(timed(a), timed(b));
}

/**
 * Inner products of all pairs, `[a.length, b.length]`.
 *
 * @throws RangeError when a time or length is out of range.
 *
 * @example
 * ```ts
 * const snapshots = [{ images: 1000, std: 0.05 }, { images: 2000, std: 0.1 }];
 * profileInnerProducts(snapshots, [{ images: 2000, std: 0.07 }]).data; // [0.000001552, 0.002533], row by row
 * ```
 */
export function profileInnerProducts(a: readonly EmaProfile[], b: readonly EmaProfile[]): Matrix {
  const [rows, columns] = [a.map(timed), b.map(timed)];
  return {
    rows: a.length,
    columns: b.length,
    data: Float64Array.from(rows.flatMap((row) => columns.map((column) => innerProduct(row, column)))),
  };
}

/**
 * The weights with which snapshots sum up to averages that were never tracked: the least-squares fit of each target's
 * profile by those of the snapshots, each column then divided by its sum. `[snapshots, targets]`, in their order.
 *
 * A target of the same time and length as a snapshot gets weight 1 there. Targets much shorter than all snapshots get
 * large weights of both signs, which amplify rounding: sums of magnitudes near 1 or 2 are benign.
 *
 * Source: arXiv 2312.02696, section 3.2 and algorithm 3, which leaves out the division.
 *
 * @throws RangeError when there is no snapshot, two have the same time and length, or a length is out of range.
 * @example
 * ```ts
 * const snapshots = [1000, 2000].flatMap((images) => [0.05, 0.1].map((std) => ({ images, std })));
 * const weights = solvePostHoc(snapshots, [{ images: 2000, std: 0.07 }]); // { rows: 4, columns: 1 }
 * weights.data.reduce((sum, weight) => sum + weight); // 1
 * ```
 */
export function solvePostHoc(snapshots: readonly EmaProfile[], targets: readonly EmaProfile[]): Matrix {
  checkSnapshots(snapshots);
  const x = solveLinear(profileInnerProducts(snapshots, snapshots), profileInnerProducts(snapshots, targets));
  const { rows, columns, data } = x;
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += data[row * columns + column]!;
    for (let row = 0; row < rows; row++) data[row * columns + column]! /= sum;
  }
  return x;
}

interface TimedExponent {
  readonly time: number;
  readonly exponent: number;
}

function timed({ images, std }: EmaProfile): TimedExponent {
  if (!(images > 0)) throw new RangeError(`post-hoc EMA: time must be above 0 images, got ${images}`);
  return { time: images, exponent: exponentOfStd(std) };
}

function innerProduct(a: TimedExponent, b: TimedExponent): number {
  const ratio = (a.time / b.time) ** (a.time < b.time ? b.exponent : -a.exponent);
  const scale = (a.exponent + b.exponent + 1) * Math.max(a.time, b.time);
  return (((a.exponent + 1) * (b.exponent + 1)) / scale) * ratio;
}

function checkSnapshots(snapshots: readonly EmaProfile[]): void {
  if (snapshots.length === 0) throw new RangeError('solvePostHoc: got no snapshots');
  const seen = new Set<string>();
  for (const { images, std } of snapshots) {
    const key = `${images} ${std}`;
    if (seen.has(key)) {
      throw new RangeError(`solvePostHoc: two snapshots at ${images} images with std ${std}. Leave one out`);
    }
    seen.add(key);
  }
}
