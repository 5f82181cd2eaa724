import type { Contraction, Linear } from '@evenkeel/tensor/kernel';
import { type EmittedKernel, type Phase, phaseType } from '../emitted-kernel.ts';
import { FunctionBuilder } from '../encoder.ts';
import { LANES } from '../indices.ts';
import type { KernelContext } from '../kernel-context.ts';
import type { Value } from '../loop-values.ts';
import { microKernel, TILE_ROWS, tileColumns } from './micro-kernel.ts';
import { Site } from './site.ts';
import { type WinogradShape, winogradShape } from './winograd-shape.ts';
import { inBothDirections, inputTransform, outputTransform, tapTransform } from './winograd-transforms.ts';

/** Products of a tile of 2 x 2 outputs. */
const POINTS = 16;
/** Tiles that a chunk should have: transformed inputs and products stay in the second cache. */
const TILES = 32;

const SQUARE = [0, 1, 2, 3] as const;

/**
 * A 3 x 3 convolution of stride 1 by Winograd's F(2 x 2): weights are transformed once, tiles of inputs chunk by chunk;
 * the sums over channels are sixteen products of matrices. Undefined for other contractions.
 */
export function emitWinograd(kernel: Contraction, context: KernelContext): EmittedKernel | undefined {
  const shape = winogradShape(kernel, new Site(new FunctionBuilder(0, phaseType, 0), kernel, context));
  if (!shape) return undefined;
  const layout = layoutOf(shape, context);
  return {
    phases: [transformWeights(kernel, context, shape), convolve(kernel, context, shape)],
    threadBytes: layout.threadBytes,
    sharedBytes: POINTS * layout.weightBytes,
  };
}

function layoutOf({ images, height, width, channels, outputs }: WinogradShape, { instructions }: KernelContext) {
  const tileWidth = tileColumns(instructions);
  const columnPanels = Math.ceil(outputs / tileWidth);
  const [tileRows, tilesInRow] = [height / 2, width / 2];
  const rowsInChunk = Math.max(1, Math.min(tileRows, Math.round(TILES / tilesInRow)));
  const tiles = Math.ceil((rowsInChunk * tilesInRow) / TILE_ROWS) * TILE_ROWS;
  const inputBytes = 4 * tiles * channels;
  const productBytes = 4 * tiles * columnPanels * tileWidth;
  return {
    tileWidth,
    columnPanels,
    tileRows,
    tilesInRow,
    rowsInChunk,
    chunksInImage: Math.ceil(tileRows / rowsInChunk),
    chunks: images * Math.ceil(tileRows / rowsInChunk),
    weightBytes: 4 * columnPanels * tileWidth * channels,
    inputBytes,
    productBytes,
    threadBytes: POINTS * (inputBytes + productBytes),
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

/** Each chunk is some rows of tiles of an image. */
function convolve(kernel: Contraction, context: KernelContext, shape: WinogradShape): Phase {
  const { axes, images, channels } = shape;
  const layout = layoutOf(shape, context);
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
  const { builder, indices } = site;
  const { space } = indices;
  const chunk = indices.counter(layout.chunks, site.chunk);
  const [image, part] = space.unravel(chunk, [images, layout.chunksInImage]) as [Linear, Linear];
  if (axes.image !== undefined) indices.bind(axes.image, () => image);
  const firstRow = space.mul(part, layout.rowsInChunk);
  const left = builder.op('i32.sub', builder.i32(layout.tileRows), indices.value(firstRow));
  const most = builder.i32(layout.rowsInChunk);
  const isShort = builder.op('i32.lt_s', left, most);
  const rowCount = layout.tileRows % layout.rowsInChunk === 0 ? most : builder.select(isShort, left, most);
  const products = builder.op('i32.add', site.threadMemory, builder.i32(POINTS * layout.inputBytes));

  const forTiles = (body: (tile: Linear, y: Linear, x: Linear) => void): void => {
    site.loop(builder.i32(0), rowCount, layout.rowsInChunk, (row) => {
      site.loop(builder.i32(0), builder.i32(layout.tilesInRow), layout.tilesInRow, (column) => {
        const tile = space.add(space.mul(row, layout.tilesInRow), column);
        body(tile, space.mul(space.add(firstRow, row), 2), space.mul(column, 2));
      });
    });
  };
  forTiles((tile, y, x) => transformInputs(site, shape, layout.inputBytes, tile, y, x));

  const { multiply } = microKernel(context.module, context.instructions, { row: 4 * channels, rowStep: 4 });
  const tiles = builder.op('i32.mul', rowCount, builder.i32(layout.tilesInRow));
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
  forTiles((tile, y, x) => transformProducts(site, shape, { ...layout, products, rowPanels }, tile, y, x));
  builder.finish();
  return { chunks: layout.chunks, run: f };
}

/** The 4 x 4 inputs under one tile, four channels at a time. */
function transformInputs(
  site: Site,
  { axes, channels }: WinogradShape,
  pointBytes: number,
  tile: Linear,
  y: Linear,
  x: Linear,
): void {
  const { builder, indices } = site;
  const { space } = indices;
  site.loop(builder.i32(0), builder.i32(channels / LANES), channels / LANES, (group) => {
    const first = space.mul(group, LANES);
    const inputs = SQUARE.flatMap((i) =>
      SQUARE.map((j) => {
        const here = site.at(LANES);
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
    const place = space.add(space.mul(tile, 4 * channels), space.mul(first, 4));
    const address = indices.value(place, site.threadMemory);
    inBothDirections(builder, inputTransform, inputs).forEach((value, point) => {
      builder.store('v128.store', address, value, point * pointBytes);
    });
  });
}

interface Products {
  readonly products: Value;
  readonly productBytes: number;
  readonly rowPanels: Value;
  readonly tileWidth: number;
}

/** The 2 x 2 outputs of one tile, four channels at a time. */
function transformProducts(
  site: Site,
  { axes, outputs }: WinogradShape,
  layout: Products,
  tile: Linear,
  y: Linear,
  x: Linear,
): void {
  const { builder, indices, kernel } = site;
  const { space } = indices;
  const { products, productBytes, rowPanels, tileWidth } = layout;
  const tileBytes = 4 * TILE_ROWS * tileWidth;
  const inRows = space.add(
    space.mul(space.floorDiv(tile, TILE_ROWS), tileBytes),
    space.mul(space.mod(tile, TILE_ROWS), 4 * tileWidth),
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
    inBothDirections(builder, outputTransform, sums).forEach((value, place) => {
      const here = site.at(LANES);
      here.bind(axes.y, () => space.add(y, space.literal(place >> 1)));
      here.bind(axes.x, () => space.add(x, space.literal(place & 1)));
      here.bind(axes.output, (lane) => space.add(first, space.literal(lane)));
      const expressions = site.expressions(here, value);
      const writes = kernel.stores.map((store) => expressions.prepare(store));
      for (const write of writes) write();
    });
  });
}
