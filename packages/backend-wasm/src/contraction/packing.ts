import type { Linear } from '@evenkeel/tensor/kernel';
import { visitExprs } from '@evenkeel/tensor/kernel';
import { type Indices, LANES } from '../indices.ts';
import type { Value } from '../loop-values.ts';
import type { Blocking, Side } from './blocking.ts';
import { isSequence } from './sequence.ts';
import type { Site } from './site.ts';
import { transpose } from './transpose.ts';

const FEW_STEPS = 36;

/** What part of a side is packed, and where to. */
export interface Packing {
  readonly side: Side;
  /** The batch's axes are set. */
  readonly position: Indices;
  /** First element of the side, a multiple of its width, and how many follow. */
  readonly start: Linear;
  readonly count: Value;
  /** First k, a multiple of four, and how many follow. */
  readonly kStart: Linear;
  readonly kCount: Value;
  readonly target: Value;
}

/**
 * Evaluates one operand into panels: for each k in turn, the `width` elements of a panel. Panels lie one after the other,
 * each of `kCount` times `width` elements. Places of the last panel that no element fills keep what they held.
 */
export function pack(site: Site, blocking: Blocking, packing: Packing): void {
  const { builder } = site;
  const { side, count } = packing;
  const groups = builder.op('i32.shr_u', count, builder.i32(2));
  if (side.count >= LANES) {
    if (isAlongDepth(site, blocking, packing)) packAcross(site, blocking, packing, groups);
    else packAlong(site, blocking, packing, groups);
  }
  if (side.count % LANES !== 0) packRest(site, blocking, packing, builder.op('i32.shl', groups, builder.i32(2)));
}

/** Whether loads find neighbours along k rather than along the side. */
function isAlongDepth(site: Site, { k }: Blocking, { side }: Packing): boolean {
  if (k.count % LANES !== 0) return false;
  let [alongLoads, acrossLoads] = [0, 0];
  visitExprs([site.kernel[side.operand]], (expr) => {
    if (expr.kind !== 'load') return [];
    if (isSequence(site, side, expr.index)) alongLoads++;
    if (isSequence(site, k, expr.index)) acrossLoads++;
    return [];
  });
  return acrossLoads > alongLoads;
}

/** Address of an element's place in the panel that holds it, at k 0. */
function placeAddress(site: Site, { side, target, kCount }: Packing, element: Linear): Value {
  const { builder, indices } = site;
  const { space } = indices;
  const panel = indices.value(space.floorDiv(element, side.width));
  const panelBytes = builder.op('i32.mul', kCount, builder.i32(4 * side.width));
  const base = builder.op('i32.add', target, builder.op('i32.mul', panel, panelBytes));
  return site.address(base, space.mod(element, side.width), 4);
}

/** Gives a function that stores four elements of a group at some offset; tiles may end in the middle of a group. */
function groupStore(site: Site, packing: Packing, group: Linear) {
  const { builder, indices } = site;
  const { space } = indices;
  const { width } = packing.side;
  const first = space.mul(group, LANES);
  const start = placeAddress(site, packing, first);
  if (width % LANES === 0) {
    return (step: Linear, value: Value, offset = 0): void =>
      builder.store('v128.store', site.address(start, step, 4 * width), value, offset);
  }
  const middle = placeAddress(site, packing, space.add(first, space.literal(LANES / 2)));
  return (step: Linear, value: Value, offset = 0): void => {
    builder.storeLane('v128.store64_lane', 0, site.address(start, step, 4 * width), value, offset);
    builder.storeLane('v128.store64_lane', 1, site.address(middle, step, 4 * width), value, offset);
  };
}

/** Neighbours of the side as vectors; those of a whole panel, where four divides it, lie in one line of the cache. */
function packAlong(site: Site, blocking: Blocking, packing: Packing, groups: Value): void {
  const { builder } = site;
  const { side, position, start, kStart, kCount } = packing;
  const { k } = blocking;
  const { space } = position;
  const isUnrolled = blocking.depth >= k.count && k.count <= FEW_STEPS;
  const together = side.width % LANES === 0 && !isUnrolled ? side.width / LANES : 1;
  const most = Math.ceil(side.block / LANES);
  const packGroups = (firstGroup: Linear, count: number): void => {
    const places = Array.from({ length: count }, (_, i) => {
      const group = space.add(firstGroup, space.literal(i));
      const inGroup = site.at(LANES, position);
      const first = space.add(start, space.mul(group, LANES));
      site.place(inGroup, side, (lane) => space.add(first, space.literal(lane)));
      return { inGroup, store: groupStore(site, packing, group) };
    });
    const step = (number: Linear): void => {
      for (const { inGroup, store } of places) {
        const here = site.at(LANES, inGroup);
        site.place(here, k, () => space.add(kStart, number));
        const expressions = site.expressions(here);
        store(number, expressions.vectors.splat(expressions.value(site.kernel[side.operand]), 'float32'));
      }
    };
    // A few steps are written one by one: places that are known beforehand cost nothing.
    if (!isUnrolled) site.loop(builder.i32(0), kCount, k.count, step);
    else for (let number = 0; number < k.count; number++) step(space.literal(number));
  };
  const turns = builder.op('i32.div_u', groups, builder.i32(together));
  site.loop(builder.i32(0), turns, Math.ceil(most / together), (turn) => {
    packGroups(space.mul(turn, together), together);
  });
  if (together === 1 || side.count % side.width === 0) return;
  const done = builder.op('i32.mul', turns, builder.i32(together));
  site.loop(done, groups, most, (group) => packGroups(group, 1));
}

/** Four neighbours along k of each of four elements, transposed. */
function packAcross(site: Site, { k }: Blocking, packing: Packing, groups: Value): void {
  const { builder } = site;
  const { side, position, start, kStart, kCount } = packing;
  const { space } = position;
  const four = builder.i32(2);
  site.loop(builder.i32(0), groups, Math.ceil(side.block / LANES), (group) => {
    const store = groupStore(site, packing, group);
    const elements = [0, 1, 2, 3].map((element) => {
      const indices = site.at(1, position);
      site.place(indices, side, () => space.add(start, space.add(space.mul(group, LANES), space.literal(element))));
      return indices;
    });
    site.loop(builder.i32(0), builder.op('i32.shr_u', kCount, four), Math.ceil(k.count / LANES), (step) => {
      const first = space.add(kStart, space.mul(step, LANES));
      const rows = elements.map((element) => {
        const here = site.at(LANES, element);
        site.place(here, k, (lane) => space.add(first, space.literal(lane)));
        const expressions = site.expressions(here);
        return expressions.vectors.splat(expressions.value(site.kernel[side.operand]), 'float32');
      });
      const steps = space.mul(step, LANES);
      transpose(site, rows).forEach((column, i) => {
        store(steps, column, 4 * i * side.width);
      });
    });
  });
}

/** What is left of four, one by one. */
function packRest(site: Site, { k }: Blocking, packing: Packing, from: Value): void {
  const { builder } = site;
  const { side, position, start, kStart, kCount, count } = packing;
  const { space } = position;
  site.loop(from, count, side.block, (element) => {
    const place = placeAddress(site, packing, element);
    const inElement = site.at(1, position);
    site.place(inElement, side, () => space.add(start, element));
    site.loop(builder.i32(0), kCount, k.count, (step) => {
      const here = site.at(1, inElement);
      site.place(here, k, () => space.add(kStart, step));
      const value = site.expressions(here).value(site.kernel[side.operand]);
      builder.store('f32.store', site.address(place, step, 4 * side.width), value);
    });
  });
}
