import type { Contraction, Linear } from '@evenkeel/tensor/kernel';
import { type EmittedKernel, type Phase, phaseType } from '../emitted-kernel.ts';
import { LANES } from '../indices.ts';
import type { KernelContext } from '../kernel-context.ts';
import type { Value } from '../loop-values.ts';
import { DEPTH } from './blocking.ts';
import { forLaneGroups } from './lane-groups.ts';
import { multiplication, productOperands } from './micro-kernel.ts';
import { Site } from './site.ts';
import { tileOf } from './tile.ts';
import { gatherInputs, inputBytes, type PointMatrix, storePoints, transformInputs } from './winograd-input.ts';
import type { WinogradShape } from './winograd-shape.ts';
import { forTileRows, isInside, pointDistance, type TileRow, tilesIn, unitsOf } from './winograd-tiles.ts';
import { inBothDirections } from './winograd-transforms.ts';

/** Least tiles that are worked on at a time. */
const TILES = 32;
/** Most parts with sums of their own, and where they would be fewer than pays off. */
const PARTS = 16;
const FEW_PARTS = 4;
/** Channels of a chunk of products, and outputs of a chunk of results. */
const CHANNELS = 96;
const OUTPUTS = 16;
/** Most bytes of partial sums. */
const MOST_SUMS = 2 ** 23;

/**
 * The gradient of 3 x 3 weights: the transforms of inputs are those of the convolution, its gradient takes the place of
 * the products, and sums go over tiles. Parts of the tiles have sums of their own, which are added in order at the end;
 * where that would be few parts, all tiles are transformed first and the points are shared out.
 */
export function emitWeightGradient(kernel: Contraction, context: KernelContext, shape: WinogradShape): EmittedKernel {
  const layout = layoutOf(shape, context);
  const last = transformSums(kernel, context, shape, layout);
  if (layout.parts > 1) {
    return {
      phases: [sumParts(kernel, context, shape, layout), last],
      threadBytes: layout.lineBytes + layout.transformBytes,
      sharedBytes: layout.parts * layout.points * layout.sumBytes,
    };
  }
  return {
    phases: [transformAll(kernel, context, shape, layout), sumPoints(kernel, context, shape, layout), last],
    threadBytes: layout.lineBytes,
    sharedBytes: layout.points * layout.sumBytes + layout.transformBytes,
  };
}

type Layout = ReturnType<typeof layoutOf>;

function layoutOf(shape: WinogradShape, context: KernelContext) {
  const { channels, outputs } = shape;
  const { points } = shape.filtering;
  const tile = tileOf(context);
  const places = Math.ceil(outputs / tile.columns) * tile.columns;
  // Transforms of so many tiles are about as large as sums. Where sums are cut depends on the shape alone.
  const balanced = Math.max(TILES, (channels * outputs) / (channels + outputs));
  const units = unitsOf(shape, balanced);
  const all = units.rows * units.tilesInRow;
  const most = Math.floor(MOST_SUMS / (4 * points * channels * outputs));
  const wanted = Math.min(PARTS, most, Math.floor(all / balanced));
  const unitsInPart = wanted < FEW_PARTS ? units.units : Math.ceil(units.units / wanted);
  const parts = Math.ceil(units.units / unitsInPart);
  /** Tiles whose transforms are in memory at a time. */
  const tiles = parts > 1 ? units.tiles : all;
  // Rows at a distance of a power of two would take each other's places in the cache.
  const inputRow = 4 * (channels + (channels % 64 === 0 ? 16 : 0));
  const [inputPoint, gradientPoint] = [tiles * inputRow, 4 * tiles * places].map(pointDistance) as [number, number];
  return {
    points,
    tile,
    places,
    units,
    unitsInPart,
    parts,
    tiles,
    inputRow,
    inputPoint,
    gradientPoint,
    lineBytes: inputBytes(shape, units),
    transformBytes: points * (inputPoint + gradientPoint),
    sumBytes: pointDistance(4 * channels * places),
  };
}

/** Transforms of inputs, then of gradients as panels of columns. */
function transformUnit(
  site: Site,
  shape: WinogradShape,
  layout: Layout,
  { unit, before, transforms }: { readonly unit: Linear; readonly before: Linear; readonly transforms: Value },
): void {
  const { space } = site.indices;
  const { points, units, inputRow, inputPoint } = layout;
  const inputs: PointMatrix = { address: transforms, rowBytes: inputRow, pointBytes: inputPoint };
  const gradients = site.builder.op('i32.add', transforms, site.builder.i32(points * inputPoint));
  forTileRows(site, shape, units, unit, (row) => {
    const tile = space.add(before, row.tile);
    gatherInputs(site, shape, units, row, site.threadMemory);
    transformInputs(site, shape, units, site.threadMemory, inputs, tile);
    transformGradients(site, shape, layout, gradients, { ...row, tile });
  });
}

/** sums += inputs' * gradients at one point, for the given channels and tiles. */
function multiplyPoint(
  site: Site,
  context: KernelContext,
  { points, tile, places, tiles, inputRow, inputPoint, gradientPoint, sumBytes }: Layout,
  at: {
    readonly point: Linear;
    readonly transforms: Value;
    readonly sums: Value;
    readonly channel: Linear;
    readonly channelCount: Value;
    readonly channelCounts: readonly number[];
    readonly firstTile: Linear;
    readonly tileCount: Value;
    readonly isFirst: Value;
  },
): void {
  const { builder, indices } = site;
  const { space } = indices;
  const product = multiplication(context.module, {
    tile,
    instructions: context.instructions,
    strides: { row: 4, rowStep: inputRow },
    rowCounts: at.channelCounts,
  });
  const inputs = space.add(space.mul(at.point, inputPoint), space.mul(at.firstTile, inputRow));
  const gradients = space.add(space.mul(at.point, gradientPoint), space.mul(at.firstTile, 4 * tile.columns));
  const sums = space.add(space.mul(at.point, sumBytes), space.mul(at.channel, 4 * places));
  const operands = productOperands({
    rows: indices.value(space.add(inputs, space.mul(at.channel, 4)), at.transforms),
    columns: indices.value(space.add(gradients, space.literal(points * inputPoint)), at.transforms),
    sums: indices.value(sums, at.sums),
    rowCount: at.channelCount,
    columnPanels: builder.i32(places / tile.columns),
    depth: at.tileCount,
    rowPanel: builder.i32(4 * tile.rows),
    columnPanel: builder.i32(4 * tile.columns * tiles),
    sumRow: builder.i32(4 * places),
    isFirst: at.isFirst,
  });
  builder.effect(operands, (code) => code.call(product));
}

/** Each chunk is a part of the units, with sums of its own. */
function sumParts(kernel: Contraction, context: KernelContext, shape: WinogradShape, layout: Layout): Phase {
  const { points, units, unitsInPart, parts, sumBytes, lineBytes } = layout;
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
  const { builder, indices } = site;
  const { space } = indices;
  const part = indices.counter(parts, site.chunk);
  const first = space.mul(part, unitsInPart);
  const sums = site.address(site.sharedMemory, part, points * sumBytes);
  const transforms = builder.op('i32.add', site.threadMemory, builder.i32(lineBytes));
  const count = site.atMost(unitsInPart, units.units, first);
  site.loop(builder.i32(0), count, unitsInPart, (inPart, inPartValue) => {
    const unit = space.add(first, inPart);
    transformUnit(site, shape, layout, { unit, before: space.literal(0), transforms });
    site.loop(builder.i32(0), builder.i32(points), points, (point) => {
      multiplyPoint(site, context, layout, {
        point,
        transforms,
        sums,
        channel: space.literal(0),
        channelCount: builder.i32(shape.channels),
        channelCounts: [shape.channels],
        firstTile: space.literal(0),
        tileCount: tilesIn(site, units, unit),
        isFirst: builder.op('i32.eqz', inPartValue),
      });
    });
  });
  builder.finish();
  return { chunks: parts, run: f };
}

/** Each chunk is a unit; transforms of all tiles lie behind the sums. */
function transformAll(kernel: Contraction, context: KernelContext, shape: WinogradShape, layout: Layout): Phase {
  const { points, units, sumBytes } = layout;
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
  const { builder, indices } = site;
  const unit = indices.counter(units.units, site.chunk);
  const before = indices.space.mul(unit, units.tiles);
  const transforms = builder.op('i32.add', site.sharedMemory, builder.i32(points * sumBytes));
  transformUnit(site, shape, layout, { unit, before, transforms });
  builder.finish();
  return { chunks: units.units, run: f };
}

/** Each chunk is some channels of a point. */
function sumPoints(kernel: Contraction, context: KernelContext, shape: WinogradShape, layout: Layout): Phase {
  const { channels } = shape;
  const { points, tiles, sumBytes } = layout;
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
  const { builder, indices } = site;
  const { space } = indices;
  const blocks = Math.ceil(channels / CHANNELS);
  const chunk = indices.counter(points * blocks, site.chunk);
  const [point, block] = space.unravel(chunk, [points, blocks]) as [Linear, Linear];
  const channel = space.mul(block, CHANNELS);
  const turns = Math.ceil(tiles / DEPTH);
  site.loop(builder.i32(0), builder.i32(turns), turns, (turn, turnValue) => {
    const firstTile = space.mul(turn, DEPTH);
    multiplyPoint(site, context, layout, {
      point,
      transforms: builder.op('i32.add', site.sharedMemory, builder.i32(points * sumBytes)),
      sums: site.sharedMemory,
      channel,
      channelCount: site.atMost(CHANNELS, channels, channel),
      channelCounts: [Math.min(CHANNELS, channels), channels % CHANNELS],
      firstTile,
      tileCount: site.atMost(DEPTH, tiles, firstTile),
      isFirst: builder.op('i32.eqz', turnValue),
    });
  });
  builder.finish();
  return { chunks: points * blocks, run: f };
}

/** The gradients of each tile of a row. */
function transformGradients(
  site: Site,
  shape: WinogradShape,
  { tile, tiles, units, gradientPoint }: Layout,
  target: Value,
  row: TileRow,
): void {
  const { builder, indices } = site;
  const { space } = indices;
  const { axes, outputs, filtering } = shape;
  const { size } = filtering;
  const zero = builder.lanes(0, 0, 0, 0);
  site.loop(builder.i32(0), builder.i32(units.tilesInRow), units.tilesInRow, (column) => {
    const number = space.add(row.tile, column);
    const address = site.address(target, number, 4 * tile.columns);
    forLaneGroups(site, outputs, (firsts) => {
      const results = firsts.map((first) => {
        const gradients = Array.from({ length: size * size }, (_, place) => {
          const here = site.at(LANES, row.position);
          const [inY, inX] = [Math.floor(place / size), place % size];
          const y = space.add(row.y, space.literal(inY));
          const x = space.add(space.mul(column, size), space.literal(inX));
          here.bind(axes.y, () => y);
          here.bind(axes.x, () => x);
          here.bind(axes.output, (lane) => space.add(first, space.literal(lane)));
          const read = (): Value => {
            const expressions = site.expressions(here);
            return expressions.vectors.splat(expressions.value(site.kernel.b), 'float32');
          };
          const inside = isInside(site, shape, [inY, inX], y, x);
          if (!inside) return read();
          // Outside there is no gradient.
          const value = builder.variable(zero);
          builder.when(inside, () => builder.assign(value, read()));
          return builder.current(value);
        });
        return inBothDirections(builder, filtering.gradient, gradients);
      });
      const first = firsts[0] as Linear;
      const panel = space.mul(space.floorDiv(first, tile.columns), 4 * tile.columns * tiles);
      const place = space.add(panel, space.mul(space.mod(first, tile.columns), 4));
      storePoints(site, results, indices.value(place, address), gradientPoint);
    });
  });
}

/** Each chunk is some outputs: their sums of all parts, as taps. */
function transformSums(kernel: Contraction, context: KernelContext, shape: WinogradShape, layout: Layout): Phase {
  const { axes, channels, outputs } = shape;
  const { points: pointCount, parts, places, sumBytes } = layout;
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
  const { builder, indices } = site;
  const { space } = indices;
  const chunks = Math.ceil(outputs / OUTPUTS);
  const output = space.mul(indices.counter(chunks, site.chunk), OUTPUTS);
  const groups = builder.op('i32.shr_u', site.atMost(OUTPUTS, outputs, output), builder.i32(2));
  site.loop(builder.i32(0), builder.i32(channels), channels, (channel) => {
    const row = site.address(site.sharedMemory, channel, 4 * places);
    site.loop(builder.i32(0), groups, OUTPUTS / LANES, (group) => {
      const first = space.add(output, space.mul(group, LANES));
      const start = site.address(row, first, 4);
      const points = Array.from({ length: pointCount }, (_, point) => {
        const loads = Array.from({ length: parts }, (_, part) => {
          const offset = (part * pointCount + point) * sumBytes;
          return builder.load('v128.load', start, { offset, volatile: true });
        });
        return loads.reduce((sum, load) => builder.op('f32x4.add', sum, load));
      });
      inBothDirections(builder, shape.filtering.tapGradient, points).forEach((value, tap) => {
        const here = site.at(LANES);
        here.bind(axes.channel, () => channel);
        here.bind(axes.tapY, () => space.literal(Math.floor(tap / 3)));
        here.bind(axes.tapX, () => space.literal(tap % 3));
        here.bind(axes.output, (lane) => space.add(first, space.literal(lane)));
        const expressions = site.expressions(here, value);
        const writes = kernel.stores.map((store) => expressions.prepare(store));
        for (const write of writes) write();
      });
    });
  });
  builder.finish();
  return { chunks, run: f };
}
