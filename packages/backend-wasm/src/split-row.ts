import type { Pass, RowKernel, RowPlan, Stage } from '@evenkeel/tensor/kernel';
import { argumentsOffset, type EmittedKernel, type Phase, phaseType } from './emitted-kernel.ts';
import type { MemoryOp } from './encoder.ts';
import { Indices } from './indices.ts';
import type { KernelContext } from './kernel-context.ts';
import { LaneLoop } from './lane-loop.ts';
import { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';
import { placesOf } from './places.ts';
import { combine, identity } from './reduction.ts';
import { type RowPart, RowPasses, SPILL_BYTES } from './row-passes.ts';
import type { VectorAxis } from './vector-axis.ts';
import { Vectors } from './vectors.ts';
import { bindPositions } from './work-split.ts';

/** Elements of a part of a row, about; the number of parts depends on sizes alone. */
const PART = 1 << 14;

const product = (sizes: readonly number[]): number => sizes.reduce((total, size) => total * size, 1);

/** Whether there are too few rows for all threads, and long ones. */
export function isWorthSplitting({ outer, inner, stages }: RowKernel, vector: number | undefined): boolean {
  if (vector !== undefined && vector < outer.length) return false;
  if (stages.some(({ kind }) => kind === 'scan') || !stages.some(({ kind }) => kind === 'reduce')) return false;
  return product(outer) < 16 && product(inner) >= 2 * PART && product(outer) * product(inner) < 2 ** 31;
}

/**
 * A row kernel whose rows are cut into parts. Each pass over a row is a phase: its parts leave partial results, which
 * whoever needs them puts together in their order.
 */
export function emitSplitRow(
  kernel: RowKernel,
  plan: RowPlan,
  vector: VectorAxis | undefined,
  context: KernelContext,
): EmittedKernel {
  const writer = new SplitRow(kernel, plan, vector, context);
  const phases = plan.passes.map((pass, number) => writer.pass(pass, plan.passes.slice(0, number)));
  if (plan.rowStores.length > 0) phases.push(writer.rowStores(plan.passes));
  return { phases, threadBytes: SPILL_BYTES, sharedBytes: writer.sharedBytes };
}

class SplitRow {
  readonly #kernel: RowKernel;
  readonly #plan: RowPlan;
  readonly #vector: VectorAxis | undefined;
  readonly #context: KernelContext;
  readonly #rows: number;
  readonly #length: number;
  /** The axis that is cut, in what it is counted in (groups of vectors where it is computed in lanes), and its parts. */
  readonly #cut: { axis: number; count: number; perPart: number; parts: number };

  constructor(kernel: RowKernel, plan: RowPlan, vector: VectorAxis | undefined, context: KernelContext) {
    this.#kernel = kernel;
    this.#plan = plan;
    this.#vector = vector;
    this.#context = context;
    this.#rows = product(kernel.outer);
    this.#length = product(kernel.inner);
    const { outer, inner } = kernel;
    const axis = outer.length + inner.indexOf(Math.max(...inner));
    const size = inner[axis - outer.length] as number;
    const count = axis === vector?.axis ? new LaneLoop(vector, size).groups : size;
    const perPart = Math.max(1, Math.ceil(count / Math.ceil(this.#length / PART)));
    this.#cut = { axis, count, perPart, parts: Math.ceil(count / perPart) };
  }

  get sharedBytes(): number {
    const { stages } = this.#kernel;
    return 8 * (stages.length * this.#rows * this.#cut.parts + this.#plan.kept.size * this.#rows * this.#length);
  }

  pass(pass: Pass, before: readonly Pass[]): Phase {
    const { parts, perPart, count, axis } = this.#cut;
    return this.#phase(this.#rows * parts, (builder, row, chunk, passes) => {
      const number = row.counter(this.#rows * parts, chunk);
      const part = row.value(row.space.mod(number, parts));
      this.#combine(builder, passes, before, row.value(row.space.floorDiv(number, parts)));
      const from = builder.op('i32.mul', part, builder.i32(perPart));
      const isLast = builder.op('i32.eq', part, builder.i32(parts - 1));
      const to = builder.select(isLast, builder.i32(count), builder.op('i32.add', from, builder.i32(perPart)));
      const range: RowPart = axis === this.#vector?.axis ? { groups: { from, to, isLast } } : { axis, from, to };
      passes.write([row], pass, range);
      for (const sink of pass.sinks) {
        const stage = this.#kernel.stages[sink] as Stage;
        if (stage.kind !== 'reduce') continue;
        const value = passes.reduced(sink);
        builder.store(`${value.type as 'i32'}.store` as MemoryOp, this.#partial(builder, sink, chunk), value);
      }
    });
  }

  rowStores(before: readonly Pass[]): Phase {
    return this.#phase(this.#rows, (builder, row, chunk, passes) => {
      this.#combine(builder, passes, before, chunk);
      passes.rowStores([row]);
    });
  }

  #phase(chunks: number, body: (builder: LoopBuilder, row: Indices, chunk: Value, passes: RowPasses) => void): Phase {
    const f = this.#context.module.function(phaseType);
    const builder = new LoopBuilder(f);
    const [table, chunk, shared] = [builder.parameter(0), builder.parameter(1), builder.parameter(3)];
    const { operands, stages } = this.#kernel;
    const row = new Indices(builder, placesOf(builder, this.#kernel, table));
    const parts = chunks / this.#rows;
    const rowNumber = row.space.floorDiv(row.counter(chunks, chunk), parts);
    const outer = this.#kernel.outer.map((size, axis) => ({ axis, size }));
    bindPositions(row, outer, rowNumber);
    const keptFrom = 8 * stages.length * this.#rows * this.#cut.parts;
    const passes = new RowPasses(this.#kernel, this.#plan, this.#context, {
      given: builder.op('i32.add', table, builder.i32(argumentsOffset(operands.length))),
      vector: this.#vector,
      spill: this.#context.instructions === 'wide' ? builder.parameter(2) : undefined,
      kept: (number) => ({
        address: builder.op('i32.add', shared, builder.i32(keptFrom + 8 * number * this.#rows * this.#length)),
        start: row.value(row.space.mul(rowNumber, this.#length)),
      }),
    });
    body(builder, row, chunk, passes);
    builder.finish();
    return { chunks, run: f };
  }

  #partial(builder: LoopBuilder, stage: number, chunk: Value): Value {
    const start = builder.i32(8 * stage * this.#rows * this.#cut.parts);
    const offset = builder.op('i32.add', builder.op('i32.shl', chunk, builder.i32(3)), start);
    return builder.op('i32.add', builder.parameter(3), offset);
  }

  /** Puts the partial results of earlier passes together. */
  #combine(builder: LoopBuilder, passes: RowPasses, before: readonly Pass[], rowNumber: Value): void {
    const { parts } = this.#cut;
    const vectors = new Vectors(builder, 1);
    for (const sink of before.flatMap(({ sinks }) => sinks)) {
      const stage = this.#kernel.stages[sink] as Stage;
      if (stage.kind !== 'reduce') continue;
      const { dtype } = stage.value;
      const start = identity(builder, stage.op, dtype);
      const total = builder.variable(start);
      const first = builder.op('i32.mul', rowNumber, builder.i32(parts));
      builder.loop(builder.i32(0), builder.i32(parts), (part) => {
        const address = this.#partial(builder, sink, builder.op('i32.add', first, part));
        const value = builder.load(`${start.type as 'i32'}.load` as MemoryOp, address, { volatile: true });
        builder.assign(total, combine(builder, vectors, stage.op, dtype, builder.current(total), value));
      });
      passes.setReduced(sink, builder.snapshot(total));
    }
  }
}
