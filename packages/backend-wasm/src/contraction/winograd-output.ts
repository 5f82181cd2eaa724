import type { Linear } from '@evenkeel/tensor/kernel';
import { type Indices, LANES } from '../indices.ts';
import type { Value } from '../loop-values.ts';
import { forLaneGroups } from './lane-groups.ts';
import { isSequence } from './sequence.ts';
import type { Site } from './site.ts';
import { transpose } from './transpose.ts';
import type { PointMatrix } from './winograd-input.ts';
import type { WinogradShape } from './winograd-shape.ts';
import { isInside, type TileRow, type Units } from './winograd-tiles.ts';
import { inBothDirections } from './winograd-transforms.ts';

/** The outputs of a row of tiles, from the products of its points. */
export function writeOutputs(
  site: Site,
  shape: WinogradShape,
  units: Units,
  products: PointMatrix,
  { tile, y, position }: TileRow,
): void {
  const { builder, indices } = site;
  const { space } = indices;
  const { size } = shape.filtering;
  // So many tiles have four neighbours along x.
  const isTurned = isAlongX(site, shape) && shape.width % LANES === 0;
  const along = isTurned ? LANES / size : 1;
  const turns = units.tilesInRow / along;
  site.loop(builder.i32(0), builder.i32(turns), turns, (turn) => {
    const column = space.mul(turn, along);
    const address = site.address(products.address, space.add(tile, column), products.rowBytes);
    const place = { y, x: space.mul(column, size), position };
    if (isTurned) writeAlongX(site, shape, products, address, place);
    else writeAlongOutputs(site, shape, products, address, place);
  });
}

interface Place {
  readonly y: Linear;
  readonly x: Linear;
  readonly position: Indices;
}

function isAlongX(site: Site, { axes, width, outputs }: WinogradShape): boolean {
  return site.kernel.stores.every(({ index }) => {
    const alongOutputs = isSequence(site, { axes: [axes.output], sizes: [outputs], count: outputs }, index);
    return !alongOutputs && isSequence(site, { axes: [axes.x], sizes: [width], count: width }, index);
  });
}

/** The outputs of a tile, in rows, from products at an address. */
function transformed(
  { builder }: Site,
  { filtering }: WinogradShape,
  { pointBytes }: PointMatrix,
  address: Value,
  offset: number,
): Value[] {
  const sums = Array.from({ length: filtering.points }, (_, point) => {
    return builder.load('v128.load', address, { offset: point * pointBytes + offset, volatile: true });
  });
  return inBothDirections(builder, filtering.output, sums);
}

/** One tile; lanes lie along outputs. */
function writeAlongOutputs(site: Site, shape: WinogradShape, products: PointMatrix, address: Value, at: Place): void {
  const { builder, indices, kernel } = site;
  const { axes, outputs, filtering } = shape;
  const { size } = filtering;
  const { space } = indices;
  forLaneGroups(site, outputs, (firsts) => {
    const from = site.address(address, firsts[0] as Linear, 4);
    const values = firsts.map((_, vector) => transformed(site, shape, products, from, 4 * LANES * vector));
    for (let place = 0; place < size * size; place++) {
      const [line, column] = [Math.floor(place / size), place % size];
      const [y, x] = [space.add(at.y, space.literal(line)), space.add(at.x, space.literal(column))];
      const write = (): void => {
        const writes = firsts.flatMap((first, vector) => {
          const here = site.at(LANES, at.position);
          here.bind(axes.y, () => y);
          here.bind(axes.x, () => x);
          here.bind(axes.output, (lane) => space.add(first, space.literal(lane)));
          const expressions = site.expressions(here, (values[vector] as Value[])[place]);
          return kernel.stores.map((store) => expressions.prepare(store));
        });
        for (const one of writes) one();
      };
      const inside = isInside(site, shape, [line, column], y, x);
      if (inside) builder.when(inside, write);
      else write();
    }
  });
}

/** Tiles side by side with four outputs in a line; lanes lie along x. */
function writeAlongX(site: Site, shape: WinogradShape, products: PointMatrix, address: Value, at: Place): void {
  const { builder, indices, kernel } = site;
  const { axes, outputs, filtering } = shape;
  const { size } = filtering;
  const { space } = indices;
  site.loop(builder.i32(0), builder.i32(outputs / LANES), outputs / LANES, (group) => {
    const first = space.mul(group, LANES);
    const from = site.address(address, first, 4);
    const tiles = Array.from({ length: LANES / size }, (_, tile) => {
      return transformed(site, shape, products, from, tile * products.rowBytes);
    });
    for (let line = 0; line < size; line++) {
      const y = space.add(at.y, space.literal(line));
      const four = tiles.flatMap((values) => values.slice(size * line, size * (line + 1)));
      const write = (): void =>
        transpose(site, four).forEach((value, i) => {
          const here = site.at(LANES, at.position);
          here.bind(axes.y, () => y);
          here.bind(axes.x, (lane) => space.add(at.x, space.literal(lane)));
          here.bind(axes.output, () => space.add(first, space.literal(i)));
          const expressions = site.expressions(here, value);
          const writes = kernel.stores.map((store) => expressions.prepare(store));
          for (const one of writes) one();
        });
      const inside = isInside(site, shape, [line, 0], y, at.x);
      if (inside) builder.when(inside, write);
      else write();
    }
  });
}
