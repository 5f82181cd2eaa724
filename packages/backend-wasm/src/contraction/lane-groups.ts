import type { Linear } from '@evenkeel/tensor/kernel';
import { LANES } from '../indices.ts';
import type { Site } from './site.ts';

/**
 * Goes through `count` neighbours, a multiple of four, eight at a time as two vectors, then four: V8 joins what happens
 * to two neighbouring vectors, in the `wide` instruction set. `body` is given the first elements of one or two vectors.
 */
export function forLaneGroups(site: Site, count: number, body: (firsts: readonly Linear[]) => void): void {
  const { builder, indices } = site;
  const { space } = indices;
  const pairs = Math.floor(count / (2 * LANES));
  if (pairs > 0) {
    site.loop(builder.i32(0), builder.i32(pairs), pairs, (pair) => {
      const first = space.mul(pair, 2 * LANES);
      body([first, space.add(first, space.literal(LANES))]);
    });
  }
  if (count % (2 * LANES) !== 0) body([space.literal(2 * LANES * pairs)]);
}
