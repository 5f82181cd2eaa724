import type { Work } from '../work/work.ts';

/** Elements of a result that are computed again in float64; a prime, so that steps meet every column. */
const exactElements = 509;

/**
 * What is wrong with an implementation's results, if anything: elements against float64 where the work can tell them, all
 * of them against those of another implementation where there are some.
 */
export function findMistake(
  work: Work,
  results: readonly Float32Array[],
  around: { readonly inputs: readonly Float32Array[]; readonly others?: readonly Float32Array[] | undefined },
): string | undefined {
  if (results.length !== work.results.length) return `gave ${results.length} results, not ${work.results.length}`;
  for (const [i, length] of work.results.entries()) {
    const result = results[i] as Float32Array;
    if (result.length !== length) return `result ${i} has ${result.length} elements, not ${length}`;
    const strange = result.findIndex((value) => !Number.isFinite(value));
    if (strange >= 0) return `result ${i} has ${result[strange]} at ${strange}`;
  }
  return differenceFromExact(work, results, around.inputs) ?? differenceFromOthers(work, results, around.others);
}

function differenceFromExact(
  { exact, tolerance }: Work,
  [result]: readonly Float32Array[],
  inputs: readonly Float32Array[],
): string | undefined {
  if (exact === undefined || result === undefined) return undefined;
  const count = Math.min(exactElements, result.length);
  for (let i = 0; i < count; i++) {
    const index = count === 1 ? 0 : Math.floor((i * (result.length - 1)) / (count - 1));
    const { value, magnitude } = exact(inputs, index);
    const got = result[index] as number;
    if (!(Math.abs(got - value) <= tolerance * magnitude)) {
      return `element ${index} is ${got}, float64 gives ${value} (summed from ${magnitude.toPrecision(4)})`;
    }
  }
  return undefined;
}

function differenceFromOthers(
  { agreement }: Work,
  results: readonly Float32Array[],
  others: readonly Float32Array[] | undefined,
): string | undefined {
  for (const [i, other] of (others ?? []).entries()) {
    const distance = relativeDistance(results[i] as Float32Array, other);
    if (!(distance <= agreement)) return `result ${i} differs from ours by ${distance.toExponential(1)} of its norm`;
  }
  return undefined;
}

/** L2 norm of the difference, as a share of the second's. */
function relativeDistance(a: Float32Array, b: Float32Array): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += ((a[i] as number) - (b[i] as number)) ** 2;
    norm += (b[i] as number) ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}
