/**
 * The length of an average, tensor by tensor: one for all; a function of a tensor's name; or pairs of a pattern and a
 * length, of which the first whose pattern fits the name counts. With pairs one tensor's length can be varied alone:
 * `[[/^unet\.out_conv\./, 0.2], [/./, 0.1]]`.
 */
export type TensorStd =
  | number
  | ((name: string) => number)
  | readonly (readonly [pattern: RegExp | string, std: number])[];

/**
 * What a {@link TensorStd} says of one tensor. A pattern that is a string fits that name alone.
 *
 * @throws when no pattern fits.
 *
 * @example
 * ```ts
 * stdOfTensor([['gain', 0.2], [/weight$/, 0.1]], 'hidden.weight'); // 0.1
 * ```
 */
export function stdOfTensor(std: TensorStd, name: string): number {
  if (typeof std === 'number') return std;
  if (typeof std === 'function') return std(name);
  const found = std.find(([pattern]) => (typeof pattern === 'string' ? pattern === name : name.search(pattern) >= 0));
  if (found === undefined) throw new Error(`stdOfTensor: no pattern fits ${name}. End the list with [/./, std]`);
  return found[1];
}
