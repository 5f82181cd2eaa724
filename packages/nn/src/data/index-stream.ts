import { seededRandom } from './seeded-random.ts';

/** An endless sequence of data set indices, a pure function of position: any place of it can be asked for. */
export interface IndexStream {
  at(position: number): number;
}

/** What an order of examples follows from. */
export interface ShuffleOptions {
  /** Whole number, at least 0. @defaultValue 0 */
  readonly seed?: number;
}

/**
 * Passes over `0 ... length - 1` without end, each pass in a fresh order that (seed, pass) fixes: every run of `length`
 * positions that starts at a multiple of `length` is a permutation.
 *
 * @throws when the length is below 1, or seed or position is no whole number of at least 0.
 *
 * @example
 * ```ts
 * const stream = shuffledIndices(50_000, { seed: 7 });
 * stream.at(123_456); // 11920, in every process, now and after a resume
 * ```
 */
export function shuffledIndices(length: number, options: ShuffleOptions = {}): IndexStream {
  requireCount('shuffledIndices', 'length', length, 1);
  const seed = requireCount('shuffledIndices', 'seed', options.seed ?? 0, 0);
  // Two passes are kept, since a batch may straddle them and ranks read at a stride.
  const passes = new Map<number, Uint32Array>();
  return {
    at(position) {
      requireCount('shuffledIndices', 'position', position, 0);
      const pass = Math.floor(position / length);
      let order = passes.get(pass);
      if (order === undefined) {
        order = permutation(length, seed, pass);
        passes.set(pass, order);
        if (passes.size > 2) passes.delete(passes.keys().next().value as number);
      }
      return order[position % length] as number;
    },
  };
}

/**
 * 0, 1, ... length - 1, and again.
 *
 * @throws when the length is below 1.
 *
 * @example
 * ```ts
 * sequentialIndices(3).at(4); // 1
 * ```
 */
export function sequentialIndices(length: number): IndexStream {
  requireCount('sequentialIndices', 'length', length, 1);
  return { at: (position) => requireCount('sequentialIndices', 'position', position, 0) % length };
}

/**
 * Draws classes evenly however many examples each has: in every run of as many positions as there are classes each class
 * comes once, in a fresh order; within a class its examples come in shuffled passes.
 *
 * @param labels the class of each example, `0, 1, ...`; classes without examples are left out.
 *
 * @throws when there are no labels.
 *
 * @example
 * ```ts
 * const indices = classBalancedIndices([0, 0, 0, 1], { seed: 7 }); // half of the draws are example 3
 * const draws = Array.from({ length: 1000 }, (_, position) => indices.at(position));
 * draws.filter((example) => example === 3).length; // 500
 * ```
 */
export function classBalancedIndices(labels: ArrayLike<number>, options: ShuffleOptions = {}): IndexStream {
  requireCount('classBalancedIndices', 'labels.length', labels.length, 1);
  const seed = requireCount('classBalancedIndices', 'seed', options.seed ?? 0, 0);
  const members = new Map<number, number[]>();
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index] as number;
    const list = members.get(label);
    if (list === undefined) members.set(label, [index]);
    else list.push(index);
  }
  const classes = [...members.keys()].sort((a, b) => a - b).map((label) => members.get(label) as number[]);
  const order = shuffledIndices(classes.length, { seed });
  const streams = classes.map((list, index) => {
    const stream = shuffledIndices(list.length, { seed: mixSeeds(seed, index) });
    return (draw: number) => list[stream.at(draw)] as number;
  });
  return {
    at(position) {
      const draw = streams[order.at(position)] as (draw: number) => number;
      return draw(Math.floor(position / classes.length));
    },
  };
}

/** A whole number, at least `least`, or an error that names it. */
export function requireCount(where: string, name: string, value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new Error(`${where}: ${name} must be a whole number of at least ${least}, got ${value}`);
  }
  return value;
}

function mixSeeds(seed: number, index: number): number {
  return seededRandom(seed, index, 0x636c6173).below(2 ** 32);
}

/** Fisher and Yates. */
function permutation(length: number, seed: number, pass: number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  const random = seededRandom(seed, pass);
  for (let last = length - 1; last > 0; last--) {
    const chosen = random.below(last + 1);
    const value = order[chosen] as number;
    order[chosen] = order[last] as number;
    order[last] = value;
  }
  return order;
}
