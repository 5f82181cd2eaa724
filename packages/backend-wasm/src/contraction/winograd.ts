import type { Contraction, Linear } from '@evenkeel/tensor/kernel';
import { type EmittedKernel, type Phase, phaseType } from '../emitted-kernel.ts';
import { LANES } from '../indices.ts';
import type { KernelContext } from '../kernel-context.ts';

import { multiplication, productOperands } from './micro-kernel.ts';
import { Site } from './site.ts';
import { tileOf } from './tile.ts';
import { emitWeightGradient } from './winograd-gradient.ts';
import { gatherInputs, inputBytes, transformInputs } from './winograd-input.ts';
import { writeOutputs } from './winograd-output.ts';
import { type WinogradShape, winogradShape } from './winograd-shape.ts';
import { forTileRows, pointDistance, tilesIn, unitsOf } from './winograd-tiles.ts';
import { inBothDirections } from './winograd-transforms.ts';

/** Floats of transformed inputs and products that a unit has about: they stay in the second cache. */
const UNIT = 2 ** 17;
/** Tiles that a unit should have at least: all transformed weights are read for each. */
const TILES = 64;
/** Units for each thread. */
const UNITS = 2;

/**
 * A 3 x 3 convolution of stride 1 by Winograd's algorithm: weights are transformed once, tiles of inputs unit by unit;
 * the sums over channels are a product of matrices at each point. Undefined for other contractions.
 */
export function emitWinograd(kernel: Contraction, context: KernelContext): EmittedKernel | undefined {
  const shape = winogradShape(kernel, context);
  if (!shape) return undefined;
  if (shape.role === 'weightGradient') return emitWeightGradient(kernel, context, shape);
  const layout = layoutOf(shape, context);
  return {
    phases: [transformWeights(kernel, context, shape), convolve(kernel, context, shape)],
    threadBytes: layout.bytes,
    sharedBytes: shape.filtering.points * layout.weightBytes,
  };
}

function layoutOf(shape: WinogradShape, context: KernelContext) {
  const { channels, outputs, filtering } = shape;
  const { points } = filtering;
  const tile = tileOf(context);
  const places = Math.ceil(outputs / tile.columns) * tile.columns;
  const { tilesInRow, rows } = unitsOf(shape, 1);
  const most = (tilesInRow * rows) / (UNITS * context.threads);
  const units = unitsOf(shape, Math.min(most, Math.max(TILES, UNIT / (points * (channels + places)))));
  const inputPoint = pointDistance(4 * units.tiles * channels);
  const productPoint = pointDistance(4 * units.tiles * places);
  // Inputs of a row of tiles are first, then their transforms, then products.
  const transforms = inputBytes(shape, units);
  const products = transforms + points * inputPoint;
  return {
    units,
    tile,
    places,
    weightBytes: pointDistance(4 * places * channels),
    inputPoint,
    productPoint,
    transforms,
    products,
    bytes: products + points * productPoint,
  };
}

/** Each chunk is a panel of columns: the taps of its outputs, for each point and channel. */
function transformWeights(kernel: Contraction, context: KernelContext, shape: WinogradShape): Phase {
  const { axes, channels, outputs } = shape;
  const { tile, places, weightBytes } = layoutOf(shape, context);
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
  const { builder, indices } = site;
  const { space } = indices;
  const panels = places / tile.columns;
  const panel = indices.counter(panels, site.chunk);
  const column = space.mul(panel, tile.columns);
  const panelAddress = site.address(site.sharedMemory, panel, 4 * tile.columns * channels);
  for (let group = 0; group < tile.columns; group += LANES) {
    const first = space.add(column, space.literal(group));
    const write = (): void => {
      site.loop(builder.i32(0), builder.i32(channels), channels, (channel) => {
        const taps = Array.from({ length: 9 }, (_, tap) => {
          const here = site.at(LANES);
          here.bind(axes.channel, () => channel);
          here.bind(axes.tapY, () => space.literal(Math.floor(tap / 3)));
          here.bind(axes.tapX, () => space.literal(tap % 3));
          here.bind(axes.output, (lane) => space.add(first, space.literal(lane)));
          const expressions = site.expressions(here);
          return expressions.vectors.splat(expressions.value(kernel.b), 'float32');
        });
        const address = site.address(panelAddress, channel, 4 * tile.columns);
        inBothDirections(builder, shape.filtering.tap, taps).forEach((value, point) => {
          builder.store('v128.store', address, value, point * weightBytes + 4 * group);
        });
      });
    };
    if (outputs % tile.columns === 0) write();
    else builder.when(builder.op('i32.lt_s', indices.value(first), builder.i32(outputs)), write);
  }
  builder.finish();
  return { chunks: panels, run: f };
}

/** Each chunk is a unit of tiles. */
function convolve(kernel: Contraction, context: KernelContext, shape: WinogradShape): Phase {
  const { channels, filtering } = shape;
  const layout = layoutOf(shape, context);
  const { units, tile } = layout;
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
  const { builder, indices } = site;
  const unit = indices.counter(units.units, site.chunk);
  const at = (offset: number) => builder.op('i32.add', site.threadMemory, builder.i32(offset));
  const inputs = { address: at(layout.transforms), rowBytes: 4 * channels, pointBytes: layout.inputPoint };
  const products = { address: at(layout.products), rowBytes: 4 * layout.places, pointBytes: layout.productPoint };
  forTileRows(site, shape, units, unit, (row) => {
    gatherInputs(site, shape, units, row, site.threadMemory);
    transformInputs(site, shape, units, site.threadMemory, inputs, row.tile);
  });
  const product = multiplication(context.module, {
    tile,
    instructions: context.instructions,
    strides: { row: 4 * channels, rowStep: 4 },
    rowCounts: [units.tiles, units.lastTiles],
  });
  site.loop(builder.i32(0), builder.i32(filtering.points), filtering.points, (point: Linear) => {
    const operands = productOperands({
      rows: site.address(inputs.address, point, inputs.pointBytes),
      columns: site.address(site.sharedMemory, point, layout.weightBytes),
      sums: site.address(products.address, point, products.pointBytes),
      rowCount: tilesIn(site, units, unit),
      columnPanels: builder.i32(layout.places / tile.columns),
      depth: builder.i32(channels),
      rowPanel: builder.i32(4 * tile.rows * channels),
      columnPanel: builder.i32(4 * tile.columns * channels),
      sumRow: builder.i32(products.rowBytes),
      isFirst: builder.i32(1),
    });
    builder.effect(operands, (code) => code.call(product));
  });
  forTileRows(site, shape, units, unit, (row) => writeOutputs(site, shape, units, products, row));
  builder.finish();
  return { chunks: units.units, run: f };
}
