import type { Linear } from '@evenkeel/tensor/kernel';
import { type Indices, LANES } from '../indices.ts';
import type { Value } from '../loop-values.ts';
import { TILE_ROWS } from './micro-kernel.ts';
import type { Site } from './site.ts';
import type { WinogradShape } from './winograd-shape.ts';
import { inBothDirections, inputTransform } from './winograd-transforms.ts';

/** Products of a tile of 2 x 2 outputs. */
export const POINTS = 16;
/** Tiles that are worked on at a time: transformed inputs and products stay in the second cache. */
const TILES = 32;

const SQUARE = [0, 1, 2, 3] as const;

/** Tiles as rows of all images, one after the other; a unit is some rows. */
export interface Units {
  readonly tilesInRow: number;
  readonly rows: number;
  readonly rowsInUnit: number;
  readonly units: number;
  /** Tiles of a unit, as many as register tiles have room for. */
  readonly tiles: number;
}

export function unitsOf({ images, height, width }: WinogradShape): Units {
  const [rows, tilesInRow] = [(images * height) / 2, width / 2];
  const rowsInUnit = Math.max(1, Math.min(rows, Math.round(TILES / tilesInRow)));
  const tiles = Math.ceil((rowsInUnit * tilesInRow) / TILE_ROWS) * TILE_ROWS;
  return { tilesInRow, rows, rowsInUnit, units: Math.ceil(rows / rowsInUnit), tiles };
}

/** One tile: its number in the unit, its first output, and an index of its image. */
export interface Tile {
  readonly number: Linear;
  readonly y: Linear;
  readonly x: Linear;
  readonly position: Indices;
}

/** Rows of tiles in a unit. */
export function rowsIn(site: Site, { rows, rowsInUnit }: Units, unit: Linear): Value {
  const { builder, indices } = site;
  const most = builder.i32(rowsInUnit);
  if (rows % rowsInUnit === 0) return most;
  const left = builder.op('i32.sub', builder.i32(rows), indices.value(indices.space.mul(unit, rowsInUnit)));
  return builder.select(builder.op('i32.lt_s', left, most), left, most);
}

export function forTiles(
  site: Site,
  shape: WinogradShape,
  units: Units,
  unit: Linear,
  body: (tile: Tile) => void,
): void {
  const { builder, indices } = site;
  const { space } = indices;
  site.loop(builder.i32(0), rowsIn(site, units, unit), units.rowsInUnit, (row) => {
    const all = space.add(space.mul(unit, units.rowsInUnit), row);
    const [image, tileRow] = space.unravel(all, [shape.images, shape.height / 2]) as [Linear, Linear];
    const position = site.at(1);
    const axis = shape.axes.image;
    if (axis !== undefined) position.bind(axis, () => image);
    site.loop(builder.i32(0), builder.i32(units.tilesInRow), units.tilesInRow, (column) => {
      const number = space.add(space.mul(row, units.tilesInRow), column);
      body({ number, y: space.mul(tileRow, 2), x: space.mul(column, 2), position });
    });
  });
}

/** The 4 x 4 inputs under one tile, four channels at a time. */
export function transformInputs(
  site: Site,
  { axes, channels }: WinogradShape,
  pointBytes: number,
  { number, y, x, position }: Tile,
): void {
  const { builder, indices } = site;
  const { space } = indices;
  site.loop(builder.i32(0), builder.i32(channels / LANES), channels / LANES, (group) => {
    const first = space.mul(group, LANES);
    const inputs = SQUARE.flatMap((i) =>
      SQUARE.map((j) => {
        const here = site.at(LANES, position);
        // Position and tap count by their sum alone.
        here.bind(axes.tapY, () => space.literal(0));
        here.bind(axes.tapX, () => space.literal(0));
        here.bind(axes.y, () => space.add(y, space.literal(i)));
        here.bind(axes.x, () => space.add(x, space.literal(j)));
        here.bind(axes.channel, (lane) => space.add(first, space.literal(lane)));
        const expressions = site.expressions(here);
        return expressions.vectors.splat(expressions.value(site.kernel.a), 'float32');
      }),
    );
    const place = space.add(space.mul(number, 4 * channels), space.mul(first, 4));
    const address = indices.value(place, site.threadMemory);
    inBothDirections(builder, inputTransform, inputs).forEach((value, point) => {
      builder.store('v128.store', address, value, point * pointBytes);
    });
  });
}
