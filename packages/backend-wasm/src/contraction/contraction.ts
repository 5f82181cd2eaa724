import { type Contraction, visitExprs } from '@evenkeel/tensor/kernel';
import { type EmittedKernel, type Phase, phaseType } from '../emitted-kernel.ts';
import { FunctionBuilder } from '../encoder.ts';
import type { KernelContext } from '../kernel-context.ts';
import type { Value } from '../loop-values.ts';
import { type Blocking, blockingOf, type Side } from './blocking.ts';
import { writeSums } from './epilogue.ts';
import { microKernel, tileColumns } from './micro-kernel.ts';
import { pack } from './packing.ts';
import { emitPlainContraction } from './plain.ts';
import { Site } from './site.ts';
import { emitWinograd } from './winograd.ts';

/**
 * A contraction as blocks: both operands are evaluated into panels (their index maps and prologues with them), the
 * micro-kernel multiplies panels, and the epilogue reads the sums.
 */
export function emitContraction(kernel: Contraction, context: KernelContext): EmittedKernel {
  if (!isSingle(kernel)) return emitPlainContraction(kernel, context);
  const probe = new Site(new FunctionBuilder(0, phaseType, 0), kernel, context);
  const winograd = emitWinograd(kernel, context);
  if (winograd) return winograd;
  const blocking = blockingOf(kernel, tileColumns(context.instructions), context.threads, probe);
  const { batch, columns, rows, k } = blocking;
  // Columns that several blocks of rows need are packed before them, once.
  const isShared = rows.blocks > 1;
  const phases: Phase[] = [];
  if (isShared) phases.push(packColumns(kernel, context, blocking));
  phases.push({ chunks: blocking.chunks, run: writeMultiplication(kernel, context, blocking, isShared) });
  const layout = layoutOf(blocking, isShared);
  const sharedBytes = isShared ? 4 * batch.count * panelPlaces(columns) * k.count : 0;
  return { phases, threadBytes: layout.bytes, sharedBytes };
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

/** Places of all elements of a side in panels. */
function panelPlaces({ count, width }: Side): number {
  return Math.ceil(count / width) * width;
}

function blockPlaces({ block, count, width }: Side): number {
  return Math.ceil(Math.min(block, count) / width) * width;
}

/** Where a thread has its panels and tiles. */
function layoutOf({ rows, columns, depth }: Blocking, isShared: boolean) {
  const columnPanels = 4 * blockPlaces(rows) * depth;
  const tiles = columnPanels + (isShared ? 0 : 4 * blockPlaces(columns) * depth);
  return { rowPanels: 0, columnPanels, tiles, bytes: tiles + 4 * blockPlaces(rows) * blockPlaces(columns) };
}

/** Packed columns: for each batch and block of k, all panels. A chunk is one block of columns of one block of k. */
function packColumns(kernel: Contraction, context: KernelContext, blocking: Blocking): Phase {
  const { batch, columns, k, depth } = blocking;
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
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
  const kCount = atMost(site, depth, k.count, indices.value(kStart));
  const before = space.add(space.mul(batchNumber, k.count), kStart);
  const target = site.address(site.sharedMemory, before, 4 * panelPlaces(columns));
  pack(site, blocking, {
    side: columns,
    position: indices,
    start,
    count: atMost(site, columns.block, columns.count, indices.value(start)),
    kStart,
    kCount,
    target: builder.op('i32.add', target, builder.op('i32.mul', kCount, indices.value(space.mul(start, 4)))),
  });
  builder.finish();
  return { chunks: k.count === 0 ? 0 : chunks, run: f };
}

function writeMultiplication(kernel: Contraction, context: KernelContext, blocking: Blocking, isShared: boolean) {
  const { batch, rows, columns, k, depth, batches, chunks } = blocking;
  const { multiply } = microKernel(context.module, context.instructions);
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
  const { builder, indices } = site;
  const { space } = indices;
  const layout = layoutOf(blocking, isShared);
  const memory = (offset: number): Value => builder.op('i32.add', site.threadMemory, builder.i32(offset));
  const batchGroups = Math.ceil(batch.count / batches);
  const chunk = indices.counter(chunks, site.chunk);
  const [batchGroup, rowBlock, columnBlock] = space.unravel(chunk, [batchGroups, rows.blocks, columns.blocks]);
  if (!batchGroup || !rowBlock || !columnBlock) throw new Error('unreachable: three numbers');
  const [rowStart, columnStart] = [space.mul(rowBlock, rows.block), space.mul(columnBlock, columns.block)];
  const rowCount = atMost(site, rows.block, rows.count, indices.value(rowStart));
  const columnCount = atMost(site, columns.block, columns.count, indices.value(columnStart));
  const panels = (count: Value, width: number): Value =>
    builder.op('i32.div_u', builder.op('i32.add', count, builder.i32(width - 1)), builder.i32(width));
  const [rowPanels, columnPanels] = [panels(rowCount, rows.width), panels(columnCount, columns.width)];
  const firstBatch = space.mul(batchGroup, batches);
  const batchesHere = atMost(site, batches, batch.count, indices.value(firstBatch));

  site.loop(builder.i32(0), batchesHere, batches, (inGroup) => {
    const batchNumber = batches === 1 ? firstBatch : space.add(firstBatch, inGroup);
    const position = site.at(1);
    site.place(position, batch, () => batchNumber);
    const kBlocks = Math.max(1, Math.ceil(k.count / depth));
    site.loop(builder.i32(0), builder.i32(kBlocks), kBlocks, (kBlock, kBlockValue) => {
      const kStart = kBlocks === 1 ? space.literal(0) : space.mul(kBlock, depth);
      const kCount = atMost(site, depth, k.count, indices.value(kStart));
      const common = { position, kStart, kCount };
      let columnsAt = memory(layout.columnPanels);
      if (isShared) {
        const before = space.add(space.mul(batchNumber, k.count), kStart);
        const block = site.address(site.sharedMemory, before, 4 * panelPlaces(columns));
        const inBlock = builder.op('i32.mul', kCount, indices.value(space.mul(columnStart, 4)));
        columnsAt = builder.op('i32.add', block, inBlock);
      } else {
        pack(site, blocking, { ...common, side: columns, start: columnStart, count: columnCount, target: columnsAt });
      }
      const rowsAt = memory(layout.rowPanels);
      pack(site, blocking, { ...common, side: rows, start: rowStart, count: rowCount, target: rowsAt });
      const strides = [rows.width, columns.width].map((width) => builder.op('i32.mul', kCount, builder.i32(4 * width)));
      const isFirst = builder.op('i32.eqz', kBlockValue);
      builder.effect(
        [rowsAt, columnsAt, memory(layout.tiles), rowPanels, columnPanels, kCount, ...strides, isFirst],
        (code) => code.call(multiply),
      );
    });
    writeSums(site, blocking, {
      position,
      tiles: memory(layout.tiles),
      rowPanels,
      rowStart,
      rowCount,
      columnStart,
      columnCount,
    });
  });
  builder.finish();
  return f;
}

/** min(most, total - start) */
function atMost({ builder }: Site, most: number, total: number, start: Value): Value {
  if (total % most === 0 || total <= most) return builder.i32(Math.min(most, total));
  const left = builder.op('i32.sub', builder.i32(total), start);
  return builder.select(builder.op('i32.lt_s', left, builder.i32(most)), left, builder.i32(most));
}
