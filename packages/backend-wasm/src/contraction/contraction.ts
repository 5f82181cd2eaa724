import { type Contraction, type Linear, visitExprs } from '@evenkeel/tensor/kernel';
import { type EmittedKernel, type Phase, phaseType } from '../emitted-kernel.ts';
import { FunctionBuilder } from '../encoder.ts';
import type { Indices } from '../indices.ts';
import type { KernelContext } from '../kernel-context.ts';
import type { Value } from '../loop-values.ts';
import { type DirectRead, directAddress, directColumns, directRows, directStore, nearDepth } from './access.ts';
import { type Blocking, blockingOf, type Side } from './blocking.ts';
import { writeSums } from './epilogue.ts';
import { emitFewChannels } from './few-channels.ts';
import { multiplication, productOperands } from './micro-kernel.ts';
import { pack } from './packing.ts';
import { padInput } from './padded-input.ts';
import { emitPlainContraction } from './plain.ts';
import { Site } from './site.ts';
import { tileOf } from './tile.ts';
import { emitWinograd } from './winograd.ts';

/**
 * A contraction as blocks: the micro-kernel multiplies operands where they lie, or panels that they are evaluated into
 * (with their index maps and prologues); the epilogue reads the sums.
 */
export function emitContraction(kernel: Contraction, context: KernelContext): EmittedKernel {
  if (!isSingle(kernel)) return emitPlainContraction(kernel, context);
  const winograd = emitWinograd(kernel, context);
  if (winograd) return { ...winograd, scratch: 'Winograd tiles' };
  const few = emitFewChannels(kernel, context);
  if (few) return { ...few, scratch: 'padded images and weights' };
  const padded = padInput(kernel);
  const { job, blocking, scheme } = planned({ kernel: padded?.kernel ?? kernel, context, shared: padded ? [0] : [] });
  const paddedAt = Math.ceil(scheme.sharedBytes / 64) * 64;
  if (padded) job.shared = [paddedAt];
  const phases: Phase[] = [];
  if (padded) phases.push(padded.fill(context, paddedAt));
  if (scheme.areColumnsShared) phases.push(packColumns(job, blocking));
  phases.push(multiply(job, blocking, scheme));
  if (blocking.parts > 1) phases.push(addParts(job, blocking, scheme));
  return {
    phases,
    threadBytes: scheme.threadBytes,
    sharedBytes: padded ? paddedAt + padded.bytes : scheme.sharedBytes,
  };
}

/** What is written, and where further operands are in shared memory. */
interface Job {
  readonly kernel: Contraction;
  readonly context: KernelContext;
  shared: readonly number[];
}

interface Planned {
  readonly job: Job;
  readonly blocking: Blocking;
  readonly scheme: Scheme;
}

/** How a contraction is cut and where its parts are: image by image, where results can then be written as they are. */
function planned(job: Job): Planned {
  const plan = (kernel: Contraction): Planned => {
    const one = { ...job, kernel };
    const probe = probeOf(one);
    const cut = blockingOf(kernel, tileOf(job.context), job.context.threads, probe);
    const blocking = { ...cut, depth: nearDepth(probe, cut) };
    return { job: one, blocking, scheme: schemeOf(probe, blocking) };
  };
  const { kernel } = job;
  const whole = plan(kernel);
  const { batch, m } = kernel;
  if (batch.length > 0 || m.length < 2 || whole.blocking.rows.operand === 'a' || !whole.scheme.rows) return whole;
  const apart = plan({ ...kernel, batch: m.slice(0, -1), m: m.slice(-1) });
  return apart.blocking.rows.operand === 'b' && apart.scheme.rows && apart.scheme.results ? apart : whole;
}

function siteOf({ kernel, context, shared }: Job, f: FunctionBuilder): Site {
  return new Site(f, kernel, context, shared);
}

/** A site that asks questions of arithmetic and writes nothing. */
function probeOf(job: Job): Site {
  return siteOf(job, new FunctionBuilder(0, phaseType, 0));
}

/** Whether all is computed in float32: float64 has no four lanes. */
function isSingle({ dtype, a, b, stores, operands }: Contraction): boolean {
  let single = dtype === 'float32' || dtype === 'float16';
  visitExprs([a, b, ...stores.map(({ value }) => value)], (expr) => {
    if (expr.dtype === 'float64') single = false;
    return [];
  });
  return single && operands.every((operand) => operand.dtype !== 'float64');
}

/** Where operands and sums are while blocks are multiplied. Offsets are in bytes. */
interface Scheme {
  readonly rows: DirectRead | undefined;
  readonly columns: DirectRead | undefined;
  /** Columns that several blocks of rows need are packed before them, once. */
  readonly areColumnsShared: boolean;
  /** Elements between rows of results that whole sums go to at once. */
  readonly results: number | undefined;
  /** In a thread's memory: row panels at 0, column panels, sums. */
  readonly columnPanels: number;
  readonly sums: number;
  readonly threadBytes: number;
  /** In shared memory: column panels at 0, sums of all parts. */
  readonly parts: number;
  readonly partBytes: number;
  readonly sharedBytes: number;
}

function schemeOf(probe: Site, blocking: Blocking): Scheme {
  const { batch, rows, columns, k, depth, parts } = blocking;
  const [directly, columnsDirectly] = [directRows(probe, blocking), directColumns(probe, blocking)];
  const results = parts === 1 ? directStore(probe, blocking) : undefined;
  const areColumnsShared = !columnsDirectly && rows.blocks > 1;
  const columnPanels = directly ? 0 : 4 * blockPlaces(rows) * depth;
  const sums = columnPanels + (areColumnsShared || columnsDirectly ? 0 : 4 * blockPlaces(columns) * depth);
  const sharedPanels = areColumnsShared ? 4 * batch.count * panelPlaces(columns) * k.count : 0;
  const partBytes = parts > 1 ? 4 * batch.count * rows.count * panelPlaces(columns) : 0;
  // Sums of several blocks of k are read again: the thread's own are nearer.
  const hasSums = parts === 1 && (results === undefined || k.count > depth);
  return {
    rows: directly,
    columns: columnsDirectly,
    areColumnsShared,
    results,
    columnPanels,
    sums,
    threadBytes: sums + (hasSums ? 4 * Math.min(rows.block, rows.count) * blockPlaces(columns) : 0),
    parts: sharedPanels,
    partBytes,
    sharedBytes: sharedPanels + parts * partBytes,
  };
}

/** Places of all elements of a side in panels. */
function panelPlaces({ count, width }: Side): number {
  return Math.ceil(count / width) * width;
}

function blockPlaces({ block, count, width }: Side): number {
  return Math.ceil(Math.min(block, count) / width) * width;
}

/** Packed columns: for each batch and block of k, all panels. A chunk is one block of columns of one block of k. */
function packColumns(job: Job, blocking: Blocking): Phase {
  const { batch, columns, k, depth } = blocking;
  const f = job.context.module.function(phaseType);
  const site = siteOf(job, f);
  const { builder, indices } = site;
  const { space } = indices;
  const kBlocks = Math.ceil(k.count / depth);
  const chunks = batch.count * kBlocks * columns.blocks;
  const chunk = indices.counter(chunks, site.chunk);
  const [batchNumber, kBlock, block] = space.unravel(chunk, [batch.count, kBlocks, columns.blocks]);
  if (!batchNumber || !kBlock || !block) throw new Error('unreachable: three numbers');
  site.place(indices, batch, () => batchNumber);
  const kStart = space.mul(kBlock, depth);
  const start = space.mul(block, columns.block);
  const kCount = site.atMost(depth, k.count, kStart);
  pack(site, blocking, {
    side: columns,
    position: indices,
    start,
    count: site.atMost(columns.block, columns.count, start),
    kStart,
    kCount,
    target: sharedColumns(site, blocking, batchNumber, { kStart, kCount, start }),
  });
  builder.finish();
  return { chunks: k.count === 0 ? 0 : chunks, run: f };
}

/** Address of packed columns. */
function sharedColumns(
  site: Site,
  { columns, k }: Blocking,
  batchNumber: Linear,
  { kStart, kCount, start }: { readonly kStart: Linear; readonly kCount: Value; readonly start: Linear },
): Value {
  const { builder, indices } = site;
  const { space } = indices;
  const before = space.add(space.mul(batchNumber, k.count), kStart);
  const block = site.address(site.sharedMemory, before, 4 * panelPlaces(columns));
  return builder.op('i32.add', block, builder.op('i32.mul', kCount, indices.value(space.mul(start, 4))));
}

/** The chunk of a block, of some batches or of one of several parts of k. */
function multiply(job: Job, blocking: Blocking, scheme: Scheme): Phase {
  const { kernel, context } = job;
  const { batch, rows, columns, k, depth, parts, partDepth, batches, chunks } = blocking;
  const tile = tileOf(context);
  const f = job.context.module.function(phaseType);
  const site = siteOf(job, f);
  const { builder, indices } = site;
  const { space } = indices;
  const batchGroups = Math.ceil(batch.count / batches);
  const chunk = indices.counter(parts * chunks, site.chunk);
  const numbers = space.unravel(chunk, [parts, batchGroups, rows.blocks, columns.blocks]);
  const [part, batchGroup, rowBlock, columnBlock] = numbers as [Linear, Linear, Linear, Linear];
  const [rowStart, columnStart] = [space.mul(rowBlock, rows.block), space.mul(columnBlock, columns.block)];
  const rowCount = site.atMost(rows.block, rows.count, rowStart);
  const columnCount = site.atMost(columns.block, columns.count, columnStart);
  const columnPanels = builder.op(
    'i32.div_u',
    builder.op('i32.add', columnCount, builder.i32(columns.width - 1)),
    builder.i32(columns.width),
  );
  const product = multiplication(context.module, {
    tile,
    instructions: context.instructions,
    strides: {
      ...(scheme.rows && { row: 4 * scheme.rows.element, rowStep: 4 * scheme.rows.step }),
      ...(scheme.columns && { columnStep: 4 * scheme.columns.step }),
    },
    rowCounts: [Math.min(rows.block, rows.count), rows.count % rows.block],
  });
  const firstBatch = space.mul(batchGroup, batches);
  site.loop(builder.i32(0), site.atMost(batches, batch.count, firstBatch), batches, (inGroup) => {
    const batchNumber = batches === 1 ? firstBatch : space.add(firstBatch, inGroup);
    const position = site.at(1);
    site.place(position, batch, () => batchNumber);
    const place = { position, rowStart, columnStart };
    const sums = sumsOf(site, blocking, scheme, { ...place, part, batchNumber });
    const results = resultsOf(site, blocking, scheme, place);
    const kBlocks = Math.max(1, Math.ceil(partDepth / depth));
    const partStart = space.mul(part, partDepth);
    const here = parts === 1 ? builder.i32(kBlocks) : blocksIn(site, blocking, partStart);
    site.loop(builder.i32(0), here, kBlocks, (kBlock, kBlockValue) => {
      const kStart = space.add(partStart, kBlocks === 1 ? space.literal(0) : space.mul(kBlock, depth));
      const kCount = site.atMost(depth, k.count, kStart);
      const operandOf = (side: Side, direct: DirectRead | undefined, start: Linear, count: Value, panels: number) => {
        if (direct) {
          const expr = kernel[side.operand];
          if (expr.kind !== 'load') throw new Error('unreachable: what is read directly is a load');
          const at = directAddress(site, expr, position, [
            [side, start],
            [k, kStart],
          ]);
          return { at, panel: builder.i32(4 * side.width * direct.element) };
        }
        const panel = builder.op('i32.mul', kCount, builder.i32(4 * side.width));
        if (side === columns && scheme.areColumnsShared) {
          return { at: sharedColumns(site, blocking, batchNumber, { kStart, kCount, start }), panel };
        }
        const target = builder.op('i32.add', site.threadMemory, builder.i32(panels));
        pack(site, blocking, { side, position, start, count, kStart, kCount, target });
        return { at: target, panel };
      };
      const columnOperand = operandOf(columns, scheme.columns, columnStart, columnCount, scheme.columnPanels);
      const rowOperand = operandOf(rows, scheme.rows, rowStart, rowCount, 0);
      const isLast = kBlocks === 1 ? builder.i32(1) : builder.op('i32.eq', kBlockValue, builder.i32(kBlocks - 1));
      const grown = results ?? sums;
      const operands = productOperands({
        rows: rowOperand.at,
        columns: columnOperand.at,
        sums: builder.select(isLast, grown.address, sums.address),
        rowCount,
        columnPanels,
        depth: kCount,
        rowPanel: rowOperand.panel,
        columnPanel: columnOperand.panel,
        sumRow: builder.select(isLast, builder.i32(grown.rowBytes), builder.i32(sums.rowBytes)),
        isFirst: builder.op('i32.eqz', kBlockValue),
        earlier: sums.address,
        earlierRow: builder.i32(sums.rowBytes),
      });
      builder.effect(operands, (code) => code.call(product));
    });
    if (results || parts > 1) return;
    writeSums(site, blocking, { ...place, ...sums, parts: 1, partBytes: 0, rowCount, columnCount });
  });
  builder.finish();
  return { chunks: parts * chunks, run: f };
}

interface Place {
  /** The batch's axes are set. */
  readonly position: Indices;
  readonly rowStart: Linear;
  readonly columnStart: Linear;
}

interface SumPlace {
  readonly address: Value;
  readonly rowBytes: number;
}

/** Where a block's sums grow. */
function sumsOf(
  site: Site,
  blocking: Blocking,
  scheme: Scheme,
  place: Place & { readonly part: Linear; readonly batchNumber: Linear },
): SumPlace {
  const { builder } = site;
  const { columns, parts } = blocking;
  if (parts > 1) {
    const { address, rowBytes } = partSums(site, blocking, scheme, place);
    return { address: site.address(address, place.part, scheme.partBytes), rowBytes };
  }
  const address = builder.op('i32.add', site.threadMemory, builder.i32(scheme.sums));
  return { address, rowBytes: 4 * blockPlaces(columns) };
}

/** Where a block's whole sums go as they are; undefined where stores make something else of them. */
function resultsOf(
  site: Site,
  { rows, columns }: Blocking,
  scheme: Scheme,
  { position, rowStart, columnStart }: Place,
): SumPlace | undefined {
  const [store] = site.kernel.stores;
  if (scheme.results === undefined || !store) return undefined;
  const address = directAddress(site, store, position, [
    [rows, rowStart],
    [columns, columnStart],
  ]);
  return { address, rowBytes: 4 * scheme.results };
}

/** Where the first part's sums of a block are. */
function partSums(
  site: Site,
  { rows, columns }: Blocking,
  { parts }: Scheme,
  { batchNumber, rowStart, columnStart }: Omit<Place, 'position'> & { readonly batchNumber: Linear },
): SumPlace {
  const { builder, indices } = site;
  const { space } = indices;
  const rowBytes = 4 * panelPlaces(columns);
  const row = space.add(space.mul(batchNumber, rows.count), rowStart);
  const inRow = space.add(space.mul(row, rowBytes), space.mul(columnStart, 4));
  return { address: indices.value(inRow, builder.op('i32.add', site.sharedMemory, builder.i32(parts))), rowBytes };
}

/** Adds the parts of sums. */
function addParts(job: Job, blocking: Blocking, scheme: Scheme): Phase {
  const { batch, rows, columns, parts } = blocking;
  const f = job.context.module.function(phaseType);
  const site = siteOf(job, f);
  const { builder, indices } = site;
  const { space } = indices;
  const shape = [batch.count, rows.blocks, columns.blocks];
  const chunks = shape.reduce((all, size) => all * size, 1);
  const [batchNumber, rowBlock, columnBlock] = space.unravel(indices.counter(chunks, site.chunk), shape) as Linear[];
  if (!batchNumber || !rowBlock || !columnBlock) throw new Error('unreachable: three numbers');
  const position = site.at(1);
  site.place(position, batch, () => batchNumber);
  const [rowStart, columnStart] = [space.mul(rowBlock, rows.block), space.mul(columnBlock, columns.block)];
  writeSums(site, blocking, {
    position,
    ...partSums(site, blocking, scheme, { batchNumber, rowStart, columnStart }),
    parts,
    partBytes: scheme.partBytes,
    rowStart,
    rowCount: site.atMost(rows.block, rows.count, rowStart),
    columnStart,
    columnCount: site.atMost(columns.block, columns.count, columnStart),
  });
  builder.finish();
  return { chunks, run: f };
}

/** Blocks of k in a part. */
function blocksIn(site: Site, { k, depth, partDepth }: Blocking, partStart: Linear): Value {
  const { builder } = site;
  const count = site.atMost(partDepth, k.count, partStart);
  return builder.op('i32.div_u', builder.op('i32.add', count, builder.i32(depth - 1)), builder.i32(depth));
}
