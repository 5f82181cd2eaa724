import { profileInnerProduct, profileInnerProducts, solvePostHoc } from './post-hoc.ts';
import type { EmaProfile } from './profile.ts';

/** How well snapshots make up an average that was not tracked. */
export interface PostHocFit extends EmaProfile {
  /** What each snapshot counts, in their order; together 1. */
  readonly weights: Float64Array;
  /** Sum of the weights' magnitudes: by how much the snapshots' rounding is amplified at most. 1 to 3 is benign. */
  readonly magnitude: number;
  /** L2 distance of the profile that they make from the one wanted, over the latter's norm: 0 is exact. */
  readonly error: number;
  /** Whether the average can be made of these snapshots: {@link error} at most 0.2, {@link magnitude} at most 100. */
  readonly isSpanned: boolean;
}

/** Beyond either, a fit says little of the average that was wanted. */
const mostError = 0.2;
const mostMagnitude = 100;

/**
 * The weights of {@link solvePostHoc} for one target, with what they are worth, exactly, from inner products alone: no
 * snapshot is read.
 *
 * @throws RangeError as {@link solvePostHoc}.
 *
 * @example
 * ```ts
 * const snapshots = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((images) => [0.05, 0.1].map((std) => ({ images, std })));
 * fitPostHoc(snapshots, { images: 8, std: 0.07 }).error; // 0.01348
 * fitPostHoc(snapshots, { images: 8, std: 0.01 }).isSpanned; // false
 * ```
 */
export function fitPostHoc(snapshots: readonly EmaProfile[], target: EmaProfile): PostHocFit {
  const weights = solvePostHoc(snapshots, [target]).data;
  const among = profileInnerProducts(snapshots, snapshots).data;
  const withTarget = profileInnerProducts(snapshots, [target]).data;
  const square = profileInnerProduct(target, target);
  let distance = square;
  weights.forEach((weight, i) => {
    let row = 0;
    weights.forEach((other, j) => {
      row += other * among[i * weights.length + j]!;
    });
    distance += weight * (row - 2 * withTarget[i]!);
  });
  const error = Math.sqrt(Math.max(0, distance) / square);
  const magnitude = weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
  const { images, std } = target;
  const isSpanned = error <= mostError && magnitude <= mostMagnitude;
  return { images, std, weights, magnitude, error, isSpanned };
}

/**
 * What to tell of a fit whose snapshots do not span the average; undefined for others.
 *
 * @example
 * ```ts
 * fitWarning(fitPostHoc([{ images: 8, std: 0.1 }, { images: 8, std: 0.2 }], { images: 8, std: 0.15 })); // undefined
 * ```
 */
export function fitWarning({ std, error, magnitude, isSpanned }: PostHocFit): string | undefined {
  if (isSpanned) return undefined;
  const percent = `${(100 * error).toFixed(0)}%`;
  return `EMA length ${std} is outside of what the snapshots span: their profiles miss its own by ${percent}, with weights whose magnitudes sum to ${magnitude.toPrecision(3)}. Take more snapshots, or a length nearer to theirs`;
}
