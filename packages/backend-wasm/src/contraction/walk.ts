import type { Strides, Tap } from './micro-kernel.ts';

/** Most k that are written out one by one. */
const MOST_TAPS = 40;

/** How the micro-kernel goes through k along lines of an image. */
export type Walk = Pick<Strides, 'rowStep' | 'columnStep' | 'taps' | 'listed'>;

export interface WalkOptions {
  /** Sizes of the axes of k, and how many floats the image is ahead along each. */
  readonly sizes: readonly number[];
  readonly apart: readonly number[];
  /** Floats from one k's weights to the next's. */
  readonly weightStep: number;
  /** The side that lines of the image are. */
  readonly side: 'row' | 'column';
}

/** All k are written out, or those of one channel, which are gone through in turns; undefined where they are too many. */
export function writtenWalk({ sizes, apart, weightStep, side }: WalkOptions): Walk | undefined {
  const areAll = sizes.reduce((all, size) => all * size, 1) <= MOST_TAPS;
  const first = areAll ? 0 : 1;
  const offsets = sizes.slice(first).reduce<readonly number[]>(
    (before, size, i) => {
      const factor = apart[first + i] as number;
      return before.flatMap((offset) => Array.from({ length: size }, (_, at) => offset + at * factor));
    },
    [0],
  );
  if (offsets.length > MOST_TAPS) return undefined;
  const inLine = areAll ? 0 : 4 * (apart[0] as number);
  const inWeights = 4 * offsets.length * weightStep;
  const taps = offsets.map((offset, i): Tap => {
    const [line, weights] = [4 * offset, 4 * i * weightStep];
    return side === 'column' ? { row: weights, column: line } : { row: line, column: weights };
  });
  return side === 'column'
    ? { rowStep: inWeights, columnStep: inLine, taps }
    : { rowStep: inLine, columnStep: inWeights, taps };
}

/** Places in the image are read from a table. Older engines run out of registers where much is written out. */
export function listedWalk({ weightStep, side }: WalkOptions): Walk {
  return { rowStep: 4 * weightStep, columnStep: 4 * weightStep, listed: side };
}
