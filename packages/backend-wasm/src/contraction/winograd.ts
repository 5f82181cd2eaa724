import type { Contraction, Linear } from '@evenkeel/tensor/kernel';
import { type EmittedKernel, type Phase, phaseType } from '../emitted-kernel.ts';
import { FunctionBuilder } from '../encoder.ts';
import { LANES } from '../indices.ts';
import type { KernelContext } from '../kernel-context.ts';
import type { Value } from '../loop-values.ts';
import { microKernel, TILE_ROWS, tileColumns } from './micro-kernel.ts';
import { Site } from './site.ts';
import { emitWeightGradient } from './winograd-gradient.ts';
import { type WinogradShape, winogradShape } from './winograd-shape.ts';
import { forTiles, POINTS, rowsIn, type Tile, transformInputs, unitsOf } from './winograd-tiles.ts';
import { inBothDirections, outputTransform, tapTransform } from './winograd-transforms.ts';

/**
 * A 3 x 3 convolution of stride 1 by Winograd's F(2 x 2): weights are transformed once, tiles of inputs chunk by chunk;
 * the sums over channels are sixteen products of matrices. Undefined for other contractions.
 */
export function emitWinograd(kernel: Contraction, context: KernelContext): EmittedKernel | undefined {
  const shape = winogradShape(kernel, new Site(new FunctionBuilder(0, phaseType, 0), kernel, context));
  if (!shape) return undefined;
  if (shape.role === 'weightGradient') return emitWeightGradient(kernel, context, shape);
  const layout = layoutOf(shape, context);
  return {
    phases: [transformWeights(kernel, context, shape), convolve(kernel, context, shape)],
    threadBytes: POINTS * (layout.inputBytes + layout.productBytes),
    sharedBytes: POINTS * layout.weightBytes,
  };
}

function layoutOf(shape: WinogradShape, { instructions }: KernelContext) {
  const { channels, outputs } = shape;
  const units = unitsOf(shape);
  const tileWidth = tileColumns(instructions);
  const columnPanels = Math.ceil(outputs / tileWidth);
  return {
    units,
    tileWidth,
    columnPanels,
    weightBytes: 4 * columnPanels * tileWidth * channels,
    inputBytes: 4 * units.tiles * channels,
    productBytes: 4 * units.tiles * columnPanels * tileWidth,
  };
}

/** Each chunk is a channel: its taps as panels of columns, for each point. */
function transformWeights(kernel: Contraction, context: KernelContext, shape: WinogradShape): Phase {
  const { axes, channels, outputs } = shape;
  const { tileWidth, weightBytes } = layoutOf(shape, context);
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
  const { builder, indices } = site;
  const { space } = indices;
  const channel = indices.counter(channels, site.chunk);
  site.loop(builder.i32(0), builder.i32(outputs / LANES), outputs / LANES, (group) => {
    const first = space.mul(group, LANES);
    const taps = [0, 1, 2].flatMap((tapY) =>
      [0, 1, 2].map((tapX) => {
        const here = site.at(LANES);
        here.bind(axes.channel, () => channel);
        here.bind(axes.tapY, () => space.literal(tapY));
        here.bind(axes.tapX, () => space.literal(tapX));
        here.bind(axes.output, (lane) => space.add(first, space.literal(lane)));
        const expressions = site.expressions(here);
        return expressions.vectors.splat(expressions.value(kernel.b), 'float32');
      }),
    );
    const panel = space.floorDiv(first, tileWidth);
    const place = space.add(
      space.mul(panel, 4 * tileWidth * channels),
      space.add(space.mul(channel, 4 * tileWidth), space.mul(space.mod(first, tileWidth), 4)),
    );
    const address = indices.value(place, site.sharedMemory);
    inBothDirections(builder, tapTransform, taps).forEach((value, point) => {
      builder.store('v128.store', address, value, point * weightBytes);
    });
  });
  builder.finish();
  return { chunks: channels, run: f };
}

/** Each chunk is a unit of tiles. */
function convolve(kernel: Contraction, context: KernelContext, shape: WinogradShape): Phase {
  const { channels } = shape;
  const layout = layoutOf(shape, context);
  const { units } = layout;
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
  const { builder, indices } = site;
  const unit = indices.counter(units.units, site.chunk);
  const products = builder.op('i32.add', site.threadMemory, builder.i32(POINTS * layout.inputBytes));
  forTiles(site, shape, units, unit, (tile) => transformInputs(site, shape, layout.inputBytes, tile));

  const { multiply } = microKernel(context.module, context.instructions, { row: 4 * channels, rowStep: 4 });
  const tiles = builder.op('i32.mul', rowsIn(site, units, unit), builder.i32(units.tilesInRow));
  const rowPanels = builder.op('i32.shr_u', builder.op('i32.add', tiles, builder.i32(3)), builder.i32(2));
  site.loop(builder.i32(0), builder.i32(POINTS), POINTS, (point) => {
    const operands = [
      site.address(site.threadMemory, point, layout.inputBytes),
      site.address(site.sharedMemory, point, layout.weightBytes),
      site.address(products, point, layout.productBytes),
      rowPanels,
      ...[layout.columnPanels, channels, 4 * TILE_ROWS * channels, 4 * layout.tileWidth * channels, 1].map((number) =>
        builder.i32(number),
      ),
    ];
    builder.effect(operands, (code) => code.call(multiply));
  });
  forTiles(site, shape, units, unit, (tile) =>
    transformProducts(site, shape, { ...layout, products, rowPanels }, tile),
  );
  builder.finish();
  return { chunks: units.units, run: f };
}

interface Products {
  readonly products: Value;
  readonly productBytes: number;
  readonly rowPanels: Value;
  readonly tileWidth: number;
}

/** The 2 x 2 outputs of one tile, four channels at a time. */
function transformProducts(site: Site, { axes, outputs }: WinogradShape, layout: Products, tile: Tile): void {
  const { builder, indices, kernel } = site;
  const { space } = indices;
  const { products, productBytes, rowPanels, tileWidth } = layout;
  const tileBytes = 4 * TILE_ROWS * tileWidth;
  const inRows = space.add(
    space.mul(space.floorDiv(tile.number, TILE_ROWS), tileBytes),
    space.mul(space.mod(tile.number, TILE_ROWS), 4 * tileWidth),
  );
  const row = indices.value(inRows, products);
  const panelBytes = builder.op('i32.mul', rowPanels, builder.i32(tileBytes));
  site.loop(builder.i32(0), builder.i32(outputs / LANES), outputs / LANES, (group) => {
    const first = space.mul(group, LANES);
    const panel = builder.op('i32.mul', indices.value(space.floorDiv(first, tileWidth)), panelBytes);
    const address = site.address(builder.op('i32.add', row, panel), space.mod(first, tileWidth), 4);
    const sums = Array.from({ length: POINTS }, (_, point) =>
      builder.load('v128.load', address, { offset: point * productBytes, volatile: true }),
    );
    const plus = (linear: Linear, by: number): Linear => space.add(linear, space.literal(by));
    inBothDirections(builder, outputTransform, sums).forEach((value, place) => {
      const here = site.at(LANES, tile.position);
      here.bind(axes.y, () => plus(tile.y, place >> 1));
      here.bind(axes.x, () => plus(tile.x, place & 1));
      here.bind(axes.output, (lane) => plus(first, lane));
      const expressions = site.expressions(here, value);
      const writes = kernel.stores.map((store) => expressions.prepare(store));
      for (const write of writes) write();
    });
  });
}
