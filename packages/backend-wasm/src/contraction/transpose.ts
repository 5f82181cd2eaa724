import type { Value } from '../loop-values.ts';
import type { Site } from './site.ts';

/** Rows of a 4 x 4 block as columns. */
export function transpose({ builder }: Site, [a, b, c, d]: readonly Value[]): Value[] {
  const choose = (x: Value, y: Value, lanes: readonly [number, number, number, number]): Value =>
    builder.shuffle32(x, y, lanes);
  const [ab, cd] = [choose(a as Value, b as Value, [0, 4, 1, 5]), choose(c as Value, d as Value, [0, 4, 1, 5])];
  const [abHigh, cdHigh] = [choose(a as Value, b as Value, [2, 6, 3, 7]), choose(c as Value, d as Value, [2, 6, 3, 7])];
  return [
    choose(ab, cd, [0, 1, 4, 5]),
    choose(ab, cd, [2, 3, 6, 7]),
    choose(abHigh, cdHigh, [0, 1, 4, 5]),
    choose(abHigh, cdHigh, [2, 3, 6, 7]),
  ];
}
