import type { Contraction, Expr, Linear } from '@evenkeel/tensor/kernel';
import { type EmittedKernel, type Phase, phaseType } from '../emitted-kernel.ts';
import { FunctionBuilder } from '../encoder.ts';
import type { KernelContext } from '../kernel-context.ts';
import { axisFactors, directAddress, directStore } from './access.ts';
import { CHUNK_WORK, CHUNKS, type Group, type Side } from './blocking.ts';
import { writeSums } from './epilogue.ts';
import { multiplication, productOperands } from './micro-kernel.ts';
import { padInput } from './padded-input.ts';
import { isSequence } from './sequence.ts';
import { Site } from './site.ts';
import { tileOf } from './tile.ts';
import { listedWalk, type WalkOptions, writtenWalk } from './walk.ts';

/** Fewer channels, or outputs, than Winograd's algorithm takes. */
const FEW = 8;
/** Most sums of a block, and places of a line in it: a multiple of what tiles have. */
const MOST_SUMS = 2 ** 16;
const MOST_PLACES = 480;
/** Weights that are evaluated in one chunk, in units of k. */
const WEIGHT_STEPS = 64;

/**
 * A convolution of few channels or few outputs, the first or the last of a network. Copying a window for each position would
 * cost more than the products do: the micro-kernel reads lines of the padded image where they lie. Undefined for other contractions, and where lines do not fit tiles.
 */
export function emitFewChannels(kernel: Contraction, context: KernelContext): EmittedKernel | undefined {
  const { batch, m, n, k } = kernel;
  const isFew = batch.length === 0 && m.length > 1 && n.length === 1 && k.length > 0;
  if (!isFew || Math.min(k[0] as number, n[0] as number) >= FEW || [...m, ...n, ...k].includes(0)) return undefined;
  const areLinesColumns = (n[0] as number) < FEW || isAlongLines(kernel, context);
  const padded = padInput(kernel, { areChannelsApart: areLinesColumns });
  const image = padded ? padded.kernel.a : kernel.a;
  // All axes of positions but the last, along lines, tell lines apart.
  const lined = { ...kernel, a: image, batch: m.slice(0, -1), m: m.slice(-1) };
  const layout = layoutOf(lined, context, { areLinesColumns, paddedBytes: padded?.bytes ?? 0 });
  if (!layout) return undefined;
  const phases = [evaluateWeights(lined, context, layout), convolve(lined, context, layout)];
  if (padded) phases.unshift(padded.fill(context, 0));
  return { phases, threadBytes: layout.threadBytes, sharedBytes: layout.sharedBytes };
}

/** Whether results are neighbours along lines, and not along outputs. */
function isAlongLines(kernel: Contraction, context: KernelContext): boolean {
  const probe = new Site(new FunctionBuilder(0, phaseType, 0), kernel, context);
  const { m, n, stores } = kernel;
  const along = (axis: number, size: number): boolean => {
    return stores.every(({ index }) => isSequence(probe, { axes: [axis], sizes: [size], count: size }, index));
  };
  return along(m.length - 1, m.at(-1) as number) && !along(m.length, n[0] as number);
}

type Layout = NonNullable<ReturnType<typeof layoutOf>>;

function layoutOf(
  kernel: Contraction,
  context: KernelContext,
  { areLinesColumns, paddedBytes }: { readonly areLinesColumns: boolean; readonly paddedBytes: number },
) {
  const tile = tileOf(context);
  const probe = new Site(new FunctionBuilder(0, phaseType, 0), kernel, context, [0]);
  const image = kernel.a;
  const factors = image.kind === 'load' && image.guards.length === 0 ? axisFactors(probe, image.index) : undefined;
  if (!factors || image.kind !== 'load' || isWrittenOrNarrow(kernel, image)) return undefined;
  const { batch, m, n, k } = kernel;
  const group = (first: number, sizes: readonly number[]): Group => {
    return { axes: sizes.map((_, i) => first + i), sizes, count: sizes.reduce((all, size) => all * size, 1) };
  };
  const lines = group(0, batch);
  const steps = group(batch.length + 2, k);
  const [width, outputs] = [m[0] as number, n[0] as number];
  const place = factors[batch.length] as number;
  const apart = steps.axes.map((axis) => factors[axis] as number);
  if (place < 1 || apart.some((factor) => factor < 0)) return undefined;
  if (areLinesColumns && (place !== 1 || width % tile.columns !== 0)) return undefined;
  /** Floats from one k's weights to the next's. */
  const weightStep = areLinesColumns ? outputs : Math.ceil(outputs / tile.columns) * tile.columns;
  const options: WalkOptions = { sizes: k, apart, weightStep, side: areLinesColumns ? 'column' : 'row' };
  const walk = context.instructions === 'wide' ? writtenWalk(options) : listedWalk(options);
  if (!walk) return undefined;
  const most = Math.min(MOST_PLACES, Math.max(48, Math.floor(MOST_SUMS / outputs / 48) * 48));
  const side = (of: Group, operand: 'a' | 'b', width: number, block: number): Side => {
    return { ...of, operand, width, block, blocks: Math.ceil(of.count / block) };
  };
  const places = side(group(batch.length, m), 'a', areLinesColumns ? tile.columns : tile.rows, Math.min(most, width));
  const weights = side(group(batch.length + 1, n), 'b', areLinesColumns ? tile.rows : tile.columns, outputs);
  const [rows, columns] = areLinesColumns ? [weights, places] : [places, weights];
  const sumRow = 4 * Math.ceil(columns.block / tile.columns) * tile.columns;
  const work = places.block * outputs * steps.count;
  const items = lines.count * places.blocks;
  const wanted = Math.max(1, Math.floor(items / (CHUNKS * context.threads)));
  const weightsAt = Math.ceil(paddedBytes / 64) * 64;
  const listAt = weightsAt + 4 * weightStep * steps.count;
  return {
    tile,
    image,
    lines,
    places,
    rows,
    columns,
    steps,
    areLinesColumns,
    /** Blocks of lines, and how many a chunk has. */
    items,
    itemsInChunk: Math.min(wanted, Math.ceil(CHUNK_WORK / work)),
    strides: {
      row: areLinesColumns ? 4 : 4 * place,
      ...walk,
    },
    weightStep,
    weightsAt,
    apart,
    listAt,
    sumRow,
    threadBytes: sumRow * rows.block,
    sharedBytes: listAt + (walk.listed ? 4 * steps.count : 0),
  };
}

/** Whether an operand cannot be read as float32 while others write. */
function isWrittenOrNarrow({ operands }: Contraction, { operand }: Expr & { kind: 'load' }): boolean {
  const own = operands[operand];
  return own !== undefined && (own.dtype !== 'float32' || own.access !== 'in');
}

/** For each k in turn the weights of all outputs, and the place in the image where that is listed. */
function evaluateWeights(
  kernel: Contraction,
  context: KernelContext,
  { steps, weightStep, weightsAt, strides, apart, listAt }: Layout,
): Phase {
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
  const { builder, indices } = site;
  const { space } = indices;
  const outputs = kernel.n[0] as number;
  const chunks = Math.ceil(steps.count / WEIGHT_STEPS);
  const first = space.mul(indices.counter(chunks, site.chunk), WEIGHT_STEPS);
  const target = builder.op('i32.add', site.sharedMemory, builder.i32(weightsAt));
  site.loop(builder.i32(0), site.atMost(WEIGHT_STEPS, steps.count, first), WEIGHT_STEPS, (inChunk) => {
    const step = space.add(first, inChunk);
    const atStep = site.at(1);
    site.place(atStep, steps, () => step);
    if (strides.listed) {
      const numbers = space.unravel(step, steps.sizes);
      const place = indices.value(
        space.dot(
          numbers,
          apart.map((factor) => 4 * factor),
        ),
      );
      builder.store('i32.store', site.address(site.sharedMemory, step, 4), place, listAt);
    }
    const row = site.address(target, step, 4 * weightStep);
    site.loop(builder.i32(0), builder.i32(outputs), outputs, (output) => {
      const here = site.at(1, atStep);
      here.bind(kernel.batch.length + 1, () => output);
      builder.store('f32.store', site.address(row, output, 4), site.expressions(here).value(kernel.b));
    });
  });
  builder.finish();
  return { chunks, run: f };
}

/** Each chunk is some blocks of lines. */
function convolve(kernel: Contraction, context: KernelContext, layout: Layout): Phase {
  const { tile, image, lines, places, rows, columns, steps, areLinesColumns, items, itemsInChunk, strides } = layout;
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context, [0]);
  const { builder, indices } = site;
  const { space } = indices;
  const product = multiplication(context.module, {
    tile,
    instructions: context.instructions,
    strides,
    rowCounts: [rows.block, rows.count % rows.block],
    isWhole: true,
  });
  const direct = directStore(site, layout);
  const [store] = kernel.stores;
  const weights = builder.op('i32.add', site.sharedMemory, builder.i32(layout.weightsAt));
  const chunks = Math.ceil(items / itemsInChunk);
  const first = space.mul(indices.counter(chunks, site.chunk), itemsInChunk);
  site.loop(builder.i32(0), site.atMost(itemsInChunk, items, first), itemsInChunk, (inChunk) => {
    const item = space.add(first, inChunk);
    const [line, block] = space.unravel(item, [lines.count, places.blocks]) as [Linear, Linear];
    const position = site.at(1);
    site.place(position, lines, () => line);
    const start = space.mul(block, places.block);
    const count = site.atMost(places.block, places.count, start);
    const [rowStart, columnStart] = areLinesColumns ? [space.literal(0), start] : [start, space.literal(0)];
    const [rowCount, columnCount] = areLinesColumns
      ? [builder.i32(rows.count), count]
      : [count, builder.i32(columns.count)];
    const source = directAddress(site, image, position, [
      [places, start],
      [steps, space.literal(0)],
    ]);
    const sums =
      direct !== undefined && store
        ? {
            address: directAddress(site, store, position, [
              [rows, rowStart],
              [columns, columnStart],
            ]),
            rowBytes: 4 * direct,
          }
        : { address: site.threadMemory, rowBytes: layout.sumRow };
    const lastPlace = builder.op('i32.add', columnCount, builder.i32(columns.width - 1));
    const operands = productOperands({
      rows: areLinesColumns ? weights : source,
      columns: areLinesColumns ? source : weights,
      sums: sums.address,
      rowCount,
      columnPanels: builder.op('i32.div_u', lastPlace, builder.i32(columns.width)),
      depth: builder.i32(steps.count),
      rowPanel: builder.i32(tile.rows * strides.row),
      columnPanel: builder.i32(4 * tile.columns),
      sumRow: builder.i32(sums.rowBytes),
      isFirst: builder.i32(1),
      list: builder.op('i32.add', site.sharedMemory, builder.i32(layout.listAt)),
    });
    builder.effect(operands, (code) => code.call(product));
    if (direct !== undefined) return;
    writeSums(site, layout, {
      position,
      ...sums,
      parts: 1,
      partBytes: 0,
      rowStart,
      rowCount,
      columnStart,
      columnCount,
    });
  });
  builder.finish();
  return { chunks, run: f };
}
