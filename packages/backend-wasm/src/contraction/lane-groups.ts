import type { Linear } from '@evenkeel/tensor/kernel';
import { LANES } from '../indices.ts';
import type { Site } from './site.ts';

/**
 * Goes through `count` neighbours, a multiple of four: two vectors at a time where neighbouring vectors are joined, then
 * one. `body` is given their first elements.
 */
export function forLaneGroups(site: Site, count: number, body: (firsts: readonly Linear[]) => void): void {
  const { builder, indices } = site;
  const { space } = indices;
  const vectors = site.joinsVectors ? 2 : 1;
  const turns = Math.floor(count / (vectors * LANES));
  if (turns > 0) {
    site.loop(builder.i32(0), builder.i32(turns), turns, (turn) => {
      const first = space.mul(turn, vectors * LANES);
      body([first, space.add(first, space.literal(LANES))].slice(0, vectors));
    });
  }
  if (turns * vectors * LANES < count) body([space.literal(turns * vectors * LANES)]);
}
