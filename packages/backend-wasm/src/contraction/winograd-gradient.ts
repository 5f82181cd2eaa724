import type { Contraction, Linear } from '@evenkeel/tensor/kernel';
import { type EmittedKernel, type Phase, phaseType } from '../emitted-kernel.ts';
import { LANES } from '../indices.ts';
import type { KernelContext } from '../kernel-context.ts';
import type { Value } from '../loop-values.ts';
import { microKernel, TILE_ROWS, tileColumns } from './micro-kernel.ts';
import { Site } from './site.ts';
import type { WinogradShape } from './winograd-shape.ts';
import { forTiles, POINTS, rowsIn, type Tile, transformInputs, unitsOf } from './winograd-tiles.ts';
import { gradientTransform, inBothDirections, tapGradientTransform } from './winograd-transforms.ts';

/** Most bytes of partial sums. */
const MOST_SUMS = 2 ** 26;

/**
 * The gradient of 3 x 3 weights: the transforms of inputs are those of the convolution, its gradient takes the place of
 * the products, and sums go over tiles. Each chunk has sums of its own, which are added in order at the end.
 */
export function emitWeightGradient(kernel: Contraction, context: KernelContext, shape: WinogradShape): EmittedKernel {
  const layout = layoutOf(shape, context);
  return {
    phases: [sumTiles(kernel, context, shape), transformSums(kernel, context, shape)],
    threadBytes: POINTS * (layout.inputBytes + layout.gradientBytes),
    sharedBytes: layout.parts * POINTS * layout.sumBytes,
  };
}

function layoutOf(shape: WinogradShape, { instructions, threads }: KernelContext) {
  const { channels, outputs } = shape;
  const units = unitsOf(shape);
  const tileWidth = tileColumns(instructions);
  const places = Math.ceil(outputs / tileWidth) * tileWidth;
  const sumBytes = 4 * channels * places;
  const parts = Math.max(1, Math.min(units.units, 4 * threads, Math.floor(MOST_SUMS / (POINTS * sumBytes))));
  const unitsInPart = Math.ceil(units.units / parts);
  return {
    units,
    tileWidth,
    places,
    sumBytes,
    unitsInPart,
    parts: Math.ceil(units.units / unitsInPart),
    inputBytes: 4 * units.tiles * channels,
    gradientBytes: 4 * units.tiles * places,
  };
}

/** Each chunk is a part of the units; its sums lie as tiles in shared memory. */
function sumTiles(kernel: Contraction, context: KernelContext, shape: WinogradShape): Phase {
  const { channels } = shape;
  const layout = layoutOf(shape, context);
  const { units, unitsInPart, parts, places, tileWidth, sumBytes } = layout;
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
  const { builder, indices } = site;
  const { space } = indices;
  const part = indices.counter(parts, site.chunk);
  const first = space.mul(part, unitsInPart);
  const sums = site.address(site.sharedMemory, part, POINTS * sumBytes);
  const gradients = builder.op('i32.add', site.threadMemory, builder.i32(POINTS * layout.inputBytes));
  const strides = { row: 4, rowStep: 4 * channels, columnStep: 4 * places };
  const { multiply } = microKernel(context.module, context.instructions, strides);
  const left = builder.op('i32.sub', builder.i32(units.units), indices.value(first));
  const most = builder.i32(unitsInPart);
  const count = builder.select(builder.op('i32.lt_s', left, most), left, most);
  site.loop(builder.i32(0), count, unitsInPart, (inPart, inPartValue) => {
    const unit = space.add(first, inPart);
    forTiles(site, shape, units, unit, (tile) => {
      transformInputs(site, shape, layout.inputBytes, tile);
      transformGradients(site, shape, gradients, { bytes: layout.gradientBytes, places }, tile);
    });
    const tiles = builder.op('i32.mul', rowsIn(site, units, unit), builder.i32(units.tilesInRow));
    site.loop(builder.i32(0), builder.i32(POINTS), POINTS, (point) => {
      const operands = [
        site.address(site.threadMemory, point, layout.inputBytes),
        site.address(gradients, point, layout.gradientBytes),
        site.address(sums, point, sumBytes),
        builder.i32(channels / TILE_ROWS),
        builder.i32(places / tileWidth),
        tiles,
        builder.i32(4 * TILE_ROWS),
        builder.i32(4 * tileWidth),
        builder.op('i32.eqz', inPartValue),
      ];
      builder.effect(operands, (code) => code.call(multiply));
    });
  });
  builder.finish();
  return { chunks: parts, run: f };
}

/** The 2 x 2 gradients of one tile, four outputs at a time. */
function transformGradients(
  site: Site,
  { axes, outputs }: WinogradShape,
  target: Value,
  { bytes, places }: { readonly bytes: number; readonly places: number },
  tile: Tile,
): void {
  const { builder, indices } = site;
  const { space } = indices;
  const plus = (linear: Linear, by: number): Linear => space.add(linear, space.literal(by));
  site.loop(builder.i32(0), builder.i32(outputs / LANES), outputs / LANES, (group) => {
    const first = space.mul(group, LANES);
    const gradients = [0, 1, 2, 3].map((place) => {
      const here = site.at(LANES, tile.position);
      here.bind(axes.y, () => plus(tile.y, place >> 1));
      here.bind(axes.x, () => plus(tile.x, place & 1));
      here.bind(axes.output, (lane) => plus(first, lane));
      const expressions = site.expressions(here);
      return expressions.vectors.splat(expressions.value(site.kernel.b), 'float32');
    });
    const address = indices.value(space.add(space.mul(tile.number, 4 * places), space.mul(first, 4)), target);
    inBothDirections(builder, gradientTransform, gradients).forEach((value, point) => {
      builder.store('v128.store', address, value, point * bytes);
    });
  });
}

/** Each chunk is a channel: its sums of all parts, as taps. */
function transformSums(kernel: Contraction, context: KernelContext, shape: WinogradShape): Phase {
  const { axes, channels, outputs } = shape;
  const { parts, tileWidth, sumBytes } = layoutOf(shape, context);
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
  const { builder, indices } = site;
  const { space } = indices;
  const channel = indices.counter(channels, site.chunk);
  site.loop(builder.i32(0), builder.i32(outputs / LANES), outputs / LANES, (group) => {
    const first = space.mul(group, LANES);
    const panel = space.mul(space.floorDiv(first, tileWidth), 4 * channels * tileWidth);
    const place = space.add(
      space.add(panel, space.mul(channel, 4 * tileWidth)),
      space.mul(space.mod(first, tileWidth), 4),
    );
    const start = indices.value(place, site.sharedMemory);
    const load = (address: Value, point: number): Value =>
      builder.load('v128.load', address, { offset: point * sumBytes, volatile: true });
    const points = Array.from({ length: POINTS }, (_, point) => builder.variable(load(start, point)));
    site.loop(builder.i32(1), builder.i32(parts), parts, (part) => {
      const address = site.address(start, part, POINTS * sumBytes);
      points.forEach((point, i) => {
        builder.assign(point, builder.op('f32x4.add', builder.current(point), load(address, i)));
      });
    });
    const sums = points.map((point) => builder.current(point));
    inBothDirections(builder, tapGradientTransform, sums).forEach((value, tap) => {
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
  builder.finish();
  return { chunks: channels, run: f };
}
