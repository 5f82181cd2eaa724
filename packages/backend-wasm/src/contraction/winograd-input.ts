import type { Linear } from '@evenkeel/tensor/kernel';
import { LANES } from '../indices.ts';
import type { Value } from '../loop-values.ts';
import { forLaneGroups } from './lane-groups.ts';
import { evaluateLine, type Line } from './line.ts';
import type { Site } from './site.ts';
import type { WinogradShape } from './winograd-shape.ts';
import type { TileRow, Units } from './winograd-tiles.ts';
import { inBothDirections } from './winograd-transforms.ts';

/** Bytes of a line of inputs under a row of tiles: all places that they see, the channels of a place side by side. */
function lineBytes({ channels, filtering }: WinogradShape, { tilesInRow }: Units): number {
  return 4 * (filtering.size * tilesInRow + 2) * channels;
}

/** Bytes of all lines under a row of tiles. */
export function inputBytes(shape: WinogradShape, units: Units): number {
  return shape.filtering.span * lineBytes(shape, units);
}

/** Evaluates the inputs under a row of tiles, each once. */
export function gatherInputs(site: Site, shape: WinogradShape, units: Units, row: TileRow, target: Value): void {
  const { builder, indices } = site;
  const { space } = indices;
  const { axes, height, width, channels, filtering } = shape;
  const { size, span } = filtering;
  const line: Line = {
    x: axes.x,
    places: width + 2,
    channels: { axes: [axes.channel], sizes: [channels], count: channels },
    placeStep: channels,
    channelStep: 1,
  };
  site.loop(builder.i32(0), builder.i32(span), span, (number) => {
    const address = site.address(target, number, lineBytes(shape, units));
    const y = space.add(row.y, number);
    const inLine = site.at(1, row.position);
    // A place counts by the sum of its position and its tap alone.
    inLine.bind(axes.tapY, () => space.literal(0));
    inLine.bind(axes.tapX, () => space.literal(0));
    inLine.bind(axes.y, () => y);
    const clear = (start: number, end: number): void => {
      if (start >= end) return;
      const from = builder.op('i32.add', address, builder.i32(4 * channels * start));
      builder.effect([from, builder.i32(0), builder.i32(4 * channels * (end - start))], (f) => f.memoryFill());
    };
    // Tiles may reach over the edge, to where nothing must be read.
    if (height % size === 0) evaluateLine(site, line, inLine, address);
    else {
      const isInside = builder.op('i32.lt_s', indices.value(y), builder.i32(height + 2));
      builder.when(isInside, () => evaluateLine(site, line, inLine, address));
      builder.when(builder.op('i32.eqz', isInside), () => clear(0, width + 2));
    }
    clear(width + 2, size * units.tilesInRow + 2);
  });
}

/** Where transformed inputs go: bytes from a tile to the next, and from a point to the next. */
export interface PointMatrix {
  readonly address: Value;
  readonly rowBytes: number;
  readonly pointBytes: number;
}

/** Transforms of the inputs under each tile of a row. */
export function transformInputs(
  site: Site,
  shape: WinogradShape,
  units: Units,
  source: Value,
  target: PointMatrix,
  tile: Linear,
): void {
  const { builder, indices } = site;
  const { space } = indices;
  const { channels, filtering } = shape;
  const { size, span, points } = filtering;
  site.loop(builder.i32(0), builder.i32(units.tilesInRow), units.tilesInRow, (column) => {
    const from = site.address(source, column, 4 * size * channels);
    const to = site.address(target.address, space.add(tile, column), target.rowBytes);
    forLaneGroups(site, channels, (firsts) => {
      const [first] = firsts as [Linear];
      const read = site.address(from, first, 4);
      const results = firsts.map((_, vector) => {
        const inputs = Array.from({ length: points }, (_, place) => {
          const line = Math.floor(place / span) * lineBytes(shape, units);
          const offset = line + (place % span) * 4 * channels + 4 * LANES * vector;
          return builder.load('v128.load', read, { offset, volatile: true });
        });
        return inBothDirections(builder, filtering.input, inputs);
      });
      const write = site.address(to, first, 4);
      storePoints(site, results, write, target.pointBytes);
    });
  });
}

/** Neighbouring vectors of a point one after the other. */
export function storePoints({ builder }: Site, vectors: readonly Value[][], address: Value, pointBytes: number): void {
  vectors[0]?.forEach((_, point) => {
    vectors.forEach((points, vector) => {
      builder.store('v128.store', address, points[point] as Value, point * pointBytes + 4 * LANES * vector);
    });
  });
}
