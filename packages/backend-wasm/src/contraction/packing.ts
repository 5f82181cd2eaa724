import type { Index, Linear } from '@evenkeel/tensor/kernel';
import { visitExprs } from '@evenkeel/tensor/kernel';
import { type Indices, LANES } from '../indices.ts';
import type { Value } from '../loop-values.ts';
import type { Blocking, Side } from './blocking.ts';
import type { Site } from './site.ts';

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
function isAlongDepth(site: Site, { k }: Blocking, { side, position, start, kStart }: Packing): boolean {
  if (k.count % LANES !== 0) return false;
  const { space } = position;
  const fixed = site.at(1, position);
  site.place(fixed, side, () => start);
  site.place(fixed, k, () => kStart);
  const [along, across] = [site.at(LANES, fixed), site.at(LANES, fixed)];
  // Any group of four stands for all: counters that only tell the arithmetic what four divides.
  const any = space.mul(site.indices.counter(2 ** 20, site.builder.i32(0)), LANES);
  site.place(along, side, (lane) => space.add(any, space.literal(lane)));
  site.place(across, k, (lane) => space.add(any, space.literal(lane)));
  const isSequence = (indices: Indices, index: Index): boolean => {
    return indices.steps(indices.linears(index))?.every((step, lane) => step === lane) ?? false;
  };
  let [alongLoads, acrossLoads] = [0, 0];
  visitExprs([site.kernel[side.operand]], (expr) => {
    if (expr.kind !== 'load') return [];
    if (isSequence(along, expr.index)) alongLoads++;
    if (isSequence(across, expr.index)) acrossLoads++;
    return [];
  });
  return acrossLoads > alongLoads;
}

/** Address of place `place` of the panel that holds it, at k 0. */
function panelAddress(site: Site, { side, target, kCount }: Packing, group: Linear): Value {
  const { builder, indices } = site;
  const { space } = indices;
  const perPanel = side.width / LANES;
  const panel = space.floorDiv(group, perPanel);
  const panelBytes = builder.op('i32.mul', kCount, builder.i32(4 * side.width));
  const base = builder.op('i32.add', target, builder.op('i32.mul', indices.value(panel), panelBytes));
  return site.address(base, space.mod(group, perPanel), 4 * LANES);
}

/** Four neighbours of the side at a time. */
function packAlong(site: Site, { k }: Blocking, packing: Packing, groups: Value): void {
  const { builder } = site;
  const { side, position, start, kStart, kCount } = packing;
  const { space } = position;
  site.loop(builder.i32(0), groups, Math.ceil(side.block / LANES), (group) => {
    const address = panelAddress(site, packing, group);
    const inGroup = site.at(LANES, position);
    const first = space.add(start, space.mul(group, LANES));
    site.place(inGroup, side, (lane) => space.add(first, space.literal(lane)));
    site.loop(builder.i32(0), kCount, k.count, (step) => {
      const here = site.at(LANES, inGroup);
      site.place(here, k, () => space.add(kStart, step));
      const expressions = site.expressions(here);
      const value = expressions.vectors.splat(expressions.value(site.kernel[side.operand]), 'float32');
      builder.store('v128.store', site.address(address, step, 4 * side.width), value);
    });
  });
}

/** Four neighbours along k of each of four elements, transposed. */
function packAcross(site: Site, { k }: Blocking, packing: Packing, groups: Value): void {
  const { builder } = site;
  const { side, position, start, kStart, kCount } = packing;
  const { space } = position;
  const four = builder.i32(2);
  site.loop(builder.i32(0), groups, Math.ceil(side.block / LANES), (group) => {
    const address = panelAddress(site, packing, group);
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
      const target = site.address(address, step, 4 * LANES * side.width);
      transpose(site, rows).forEach((column, i) => {
        builder.store('v128.store', target, column, 4 * i * side.width);
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
    const address = panelAddress(site, packing, space.floorDiv(element, LANES));
    const place = site.address(address, space.mod(element, LANES), 4);
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
