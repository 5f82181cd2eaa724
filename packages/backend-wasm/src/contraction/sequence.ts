import type { Index } from '@evenkeel/tensor/kernel';
import { LANES } from '../indices.ts';
import type { Group } from './blocking.ts';
import type { Site } from './site.ts';

/** Whether any four neighbours of a group, the first a multiple of four, have neighbouring places at `index`. */
export function isSequence(site: Site, group: Group, index: Index): boolean {
  const indices = site.anywhere(LANES);
  const { space } = indices;
  const first = space.mul(
    site.indices.counter(Math.max(2, Math.ceil(group.count / LANES)), site.builder.i32(0)),
    LANES,
  );
  site.place(indices, group, (lane) => space.add(first, space.literal(lane)));
  return indices.steps(indices.linears(index))?.every((step, lane) => step === lane) ?? false;
}
