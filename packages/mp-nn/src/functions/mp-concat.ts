import { concat, type DType, type Tensor } from '@evenkeel/tensor';

/** Options of {@link mpConcat}. */
export interface MPConcatOptions {
  /** Weight of the second input, in [0, 1]. @defaultValue 0.5 */
  readonly t?: number;
  /** Where the inputs are joined. @defaultValue 1 */
  readonly axis?: number;
}

/**
 * Magnitude-preserving concatenation: each input contributes by `t`, however many channels it has.
 *
 * With Na and Nb channels and `C = sqrt((Na + Nb) / ((1 - t)^2 + t^2))`:
 * `y = concat(a (1 - t) C / sqrt(Na), b t C / sqrt(Nb))`. Two inputs of RMS 1 give RMS 1 over all channels (not in
 * each part).
 *
 * Source: arXiv 2312.02696, equation 103.
 *
 * @throws when the shapes differ outside `axis`.
 * @example
 * ```ts
 * mpConcat(zeros([2, 64, 8, 8]), zeros([2, 32, 8, 8])); // [2, 96, 8, 8]
 * ```
 */
export function mpConcat<D extends DType>(a: Tensor<D>, b: Tensor<D>, options: MPConcatOptions = {}): Tensor<D> {
  const { t = 0.5, axis = 1 } = options;
  const [countA, countB] = [a.shape.at(axis) ?? 0, b.shape.at(axis) ?? 0];
  const scale = Math.sqrt((countA + countB) / ((1 - t) ** 2 + t ** 2));
  const partA = a.mul((scale / Math.sqrt(countA)) * (1 - t));
  const partB = b.mul((scale / Math.sqrt(countB)) * t);
  return concat([partA, partB], axis);
}
