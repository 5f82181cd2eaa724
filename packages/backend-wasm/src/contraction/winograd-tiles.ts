import type { Linear } from '@evenkeel/tensor/kernel';
import type { Indices } from '../indices.ts';
import type { Value } from '../loop-values.ts';
import type { Site } from './site.ts';
import type { WinogradShape } from './winograd-shape.ts';

/**
 * Bytes from one point's matrix to the next, for matrices of a size: what belongs to the same element of all points lies in
 * different sets of the cache.
 */
export function pointDistance(bytes: number): number {
  const [sets, shift] = [4096, 320];
  return Math.ceil((bytes - shift) / sets) * sets + shift;
}

/** Rows of tiles of all images, one after the other, cut into units of a few rows. */
export interface Units {
  readonly tilesInRow: number;
  readonly rowsInImage: number;
  readonly rows: number;
  readonly rowsInUnit: number;
  readonly units: number;
  /** Tiles of a whole unit, and of the last. */
  readonly tiles: number;
  readonly lastTiles: number;
}

/** Units of about so many tiles. */
export function unitsOf({ images, height, width, filtering }: WinogradShape, wanted: number): Units {
  const [rowsInImage, tilesInRow] = [height, width].map((side) => Math.ceil(side / filtering.size)) as [number, number];
  const rows = images * rowsInImage;
  const rowsInUnit = Math.max(1, Math.min(rows, Math.round(wanted / tilesInRow)));
  const units = Math.ceil(rows / rowsInUnit);
  const lastTiles = (rows - (units - 1) * rowsInUnit) * tilesInRow;
  return { tilesInRow, rowsInImage, rows, rowsInUnit, units, tiles: rowsInUnit * tilesInRow, lastTiles };
}

/** One row of tiles: its first tile's number in the unit, its first row of outputs, and an index of its image. */
export interface TileRow {
  readonly tile: Linear;
  readonly y: Linear;
  readonly position: Indices;
}

export function forTileRows(
  site: Site,
  shape: WinogradShape,
  units: Units,
  unit: Linear,
  body: (row: TileRow) => void,
): void {
  const { builder, indices } = site;
  const { space } = indices;
  site.loop(builder.i32(0), rowsIn(site, units, unit), units.rowsInUnit, (inUnit) => {
    const all = space.add(space.mul(unit, units.rowsInUnit), inUnit);
    const [image, row] = space.unravel(all, [shape.images, units.rowsInImage]) as [Linear, Linear];
    const position = site.at(1);
    if (shape.axes.image !== undefined) position.bind(shape.axes.image, () => image);
    body({ tile: space.mul(inUnit, units.tilesInRow), y: space.mul(row, shape.filtering.size), position });
  });
}

/** Rows of tiles in a unit. */
function rowsIn(site: Site, { rows, rowsInUnit }: Units, unit: Linear): Value {
  return site.atMost(rowsInUnit, rows, site.indices.space.mul(unit, rowsInUnit));
}

/** Whether a tile's output, so far inside it and at y and x, exists; undefined where all do. Tiles may reach over the edge. */
export function isInside(
  { builder, indices }: Site,
  { height, width, filtering }: WinogradShape,
  [line, column]: readonly [number, number],
  y: Linear,
  x: Linear,
): Value | undefined {
  const conditions: Value[] = [];
  const check = (inside: number, size: number, at: Linear): void => {
    const last = size % filtering.size;
    if (last > 0 && inside >= last) conditions.push(builder.op('i32.lt_s', indices.value(at), builder.i32(size)));
  };
  check(line, height, y);
  check(column, width, x);
  return conditions.length === 0 ? undefined : conditions.reduce((all, one) => builder.op('i32.and', all, one));
}

/** Tiles in a unit. */
export function tilesIn(site: Site, units: Units, unit: Linear): Value {
  return site.builder.op('i32.mul', rowsIn(site, units, unit), site.builder.i32(units.tilesInRow));
}
