import { type Expr, planRow, type RowKernel, type Stage, visitExprs } from '@evenkeel/tensor/kernel';
import { argumentsOffset, type EmittedKernel, phaseType } from './emitted-kernel.ts';
import { FunctionBuilder } from './encoder.ts';
import { Indices } from './indices.ts';
import type { KernelContext } from './kernel-context.ts';
import { LoopBuilder } from './loop-builder.ts';
import { placesOf } from './places.ts';
import { emitRowBlocks, isWorthBlocks } from './row-blocks.ts';
import { RowPasses, SPILL_BYTES } from './row-passes.ts';
import { emitSplitRow, isWorthSplitting } from './split-row.ts';
import { accessesOf, chooseVectorAxis, lanesFor, type VectorAxis } from './vector-axis.ts';
import { splitWork } from './work-split.ts';

const exprOfStage = (stage: Stage): Expr => (stage.kind === 'store' ? stage.store.value : stage.value);

const product = (sizes: readonly number[]): number => sizes.reduce((total, size) => total * size, 1);

/** A row kernel: its outer positions are the parallel work, or parts of rows where there are few and long ones. */
export function emitRow(kernel: RowKernel, context: KernelContext): EmittedKernel {
  const { outer, inner, stages } = kernel;
  const plan = planRow(kernel);
  const vector = vectorOf(kernel);
  const isInner = vector !== undefined && vector.axis >= outer.length;
  const rowLength = product(inner);
  if (isWorthSplitting(kernel, vector?.axis)) return emitSplitRow(kernel, plan, isInner ? vector : undefined, context);

  if (vector && isWorthBlocks(kernel, plan, vector)) return emitRowBlocks(kernel, plan, { vector, context });

  const rows = isInner ? undefined : vector;
  const work = Math.max(1, rowLength) * Math.ceil(stages.length / 2);
  const split = splitWork(outer, rows, work, context.chunkWork);
  const f = context.module.function(phaseType);
  const builder = new LoopBuilder(f);
  const [table, chunk, scratch] = [builder.parameter(0), builder.parameter(1), builder.parameter(2)];
  const places = placesOf(builder, kernel, table);
  const given = builder.op('i32.add', table, builder.i32(argumentsOffset(kernel.operands.length)));
  const keptLength = rowLength * (rows ? rows.lanes * rows.units : 1);
  const keptBytes = 8 * keptLength * plan.kept.size;
  const spills = isInner && context.instructions === 'wide';
  split.write(builder, places, chunk, (vectors) => {
    const passes = new RowPasses(kernel, plan, context, {
      given,
      vector: isInner ? vector : undefined,
      spill: spills ? builder.op('i32.add', scratch, builder.i32(keptBytes)) : undefined,
      kept: (number) => ({ address: builder.op('i32.add', scratch, builder.i32(8 * keptLength * number)) }),
    });
    for (const pass of plan.passes) passes.write(vectors, pass);
    passes.rowStores(vectors);
  });
  builder.finish();
  const threadBytes = keptBytes + (spills ? SPILL_BYTES : 0);
  return { phases: [{ chunks: split.chunks, run: f }], threadBytes, sharedBytes: 0 };
}

/** The axis in lanes and the vectors computed together. */
function vectorOf(kernel: RowKernel): VectorAxis | undefined {
  const { outer, inner, stages } = kernel;
  const stores = stages.flatMap((stage) => (stage.kind === 'store' ? [stage.store] : []));
  const accesses = accessesOf(kernel, stages.map(exprOfStage), stores);
  const sizes = [...outer, ...inner];
  const hasScan = stages.some(({ kind }) => kind === 'scan');
  const candidates = sizes.map((_, axis) => axis).filter((axis) => !hasScan || axis < outer.length);
  const lanes = lanesFor(accesses);
  const builder = new LoopBuilder(new FunctionBuilder(0, phaseType, 0));
  const probe = new Indices(builder, placesOf(builder, kernel, builder.i32(0)), { lanes });
  const axis = chooseVectorAxis(accesses, candidates, sizes, probe);
  if (axis === undefined) return undefined;
  const most = axis < outer.length && inner.length > 0 ? rowVectors(kernel) : elementVectors(kernel);
  let units = most;
  while (units > 1 && lanes * units > (sizes[axis] as number)) units /= 2;
  return { axis, lanes, units };
}

/** Vectors of rows that are computed together: two lines of memory, so that it is read in longer pieces; one of large kernels. */
function rowVectors({ stages }: RowKernel): number {
  let size = 0;
  visitExprs(stages.map(exprOfStage), () => {
    size++;
  });
  return size <= 40 ? 8 : 4;
}

/**
 * Vectors of one row's elements that are computed together: two, which the machine works on side by side and V8 may fuse.
 * The largest or smallest of floats, NaN minded, takes long to be known: more of them at once.
 */
function elementVectors({ stages }: RowKernel): number {
  return stages.some((stage) => stage.kind === 'reduce' && stage.op !== 'sum' && stage.op !== 'prod') ? 4 : 2;
}
