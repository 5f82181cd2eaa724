import type { DType } from '@evenkeel/tensor';
import { type Expr, type Pass, type RowKernel, type RowPlan, type Stage, visitExprs } from '@evenkeel/tensor/kernel';
import { argumentsOffset, type EmittedKernel, phaseType } from './emitted-kernel.ts';
import { ExpressionValues } from './expressions.ts';
import { Indices } from './indices.ts';
import type { KernelContext } from './kernel-context.ts';
import { type GroupRange, LaneLoop } from './lane-loop.ts';
import { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';
import type { Element } from './memory-access.ts';
import { placesOf } from './places.ts';
import { combine, identity } from './reduction.ts';
import { takeOutRowValues } from './row-values.ts';
import type { VectorAxis } from './vector-axis.ts';
import { bindPositions, loopOver } from './work-split.ts';

/** Rows of a block: memory is read in pieces of that many elements. */
const ROWS = 256;
/** Elements of a row that pay: fewer are near each other, and more leave the second cache before they are read again. */
const [FEWEST, MOST] = [8, 256];

const product = (sizes: readonly number[]): number => sizes.reduce((total, size) => total * size, 1);

/**
 * Whether rows are read a block at a time: neighbouring rows lie side by side, as pixels do whose channels are the rows'
 * elements, so that each next element of a row is far away.
 */
export function isWorthBlocks({ outer, inner, stages }: RowKernel, plan: RowPlan, vector: VectorAxis): boolean {
  if (vector.axis >= outer.length || plan.kept.size > 0) return false;
  if (stages.some(({ kind }) => kind === 'scan') || !stages.some(({ kind }) => kind === 'reduce')) return false;
  const elements = product(inner);
  return (outer[vector.axis] as number) > ROWS && elements >= FEWEST && elements <= MOST;
}

/**
 * A row kernel that goes through a block of neighbouring rows element by element; what each row has so far is in scratch
 * memory. A row's elements are combined in their order, so its bits are those of a row that is computed by itself.
 */
export function emitRowBlocks(
  kernel: RowKernel,
  plan: RowPlan,
  { vector, context, rows = ROWS }: { vector: VectorAxis; context: KernelContext; rows?: number },
): EmittedKernel {
  const { outer, inner } = kernel;
  const lanes = new LaneLoop(vector, outer[vector.axis] as number);
  const groups = Math.max(1, Math.floor(rows / lanes.width));
  const blocks = Math.ceil(lanes.groups / groups);
  const counted = outer.map((size, axis) => ({ axis, size })).filter(({ axis }) => axis !== vector.axis);
  const chunks = counted.reduce((count, { size }) => count * size, blocks);

  const f = context.module.function(phaseType);
  const builder = new LoopBuilder(f);
  const [table, chunk, scratch] = [builder.parameter(0), builder.parameter(1), builder.parameter(2)];
  const indices = new Indices(builder, placesOf(builder, kernel, table));
  const { space } = indices;
  const counter = indices.counter(chunks, chunk);
  bindPositions(indices, [{ axis: vector.axis, size: 1 }], space.literal(0));
  bindPositions(indices, counted, space.floorDiv(counter, blocks));
  const block = space.mod(counter, blocks);
  const isLast = builder.op('i32.eqz', indices.value(space.add(block, space.literal(1 - blocks))));
  const from = indices.value(space.mul(block, groups));
  const end = builder.op('i32.add', from, builder.i32(groups));
  const range: GroupRange = { from, to: builder.select(isLast, builder.i32(lanes.groups), end), isLast };
  // The last block also has the rows that fill no group.
  const capacity = (groups + 1) * lanes.width;
  const start = space.mul(block, -groups * lanes.width);
  const writer = new BlockWriter(kernel, context, {
    given: builder.op('i32.add', table, builder.i32(argumentsOffset(kernel.operands.length))),
    renew: () => builder.renew(),
    forRows: (body) => lanes.write(indices, range, body),
    forElements: (body) => {
      const axes = inner.map((size, i) => ({ axis: outer.length + i, size }));
      loopOver([indices], axes, body);
    },
    place: (number, dtype, here) => ({
      dtype,
      address: builder.op('i32.add', scratch, builder.i32(8 * capacity * number)),
      isWritten: true,
      lanes: Array.from({ length: here.lanes }, (_, lane) => space.add(here.axis(vector.axis, lane), start)),
      guards: Array.from({ length: here.lanes }, () => []),
    }),
  });
  for (const pass of plan.passes) writer.pass(pass);
  writer.rowStores();
  builder.finish();
  return { phases: [{ chunks, run: f }], threadBytes: 8 * capacity * writer.kept, sharedBytes: 0 };
}

interface Around {
  readonly given: Value;
  /** Rows are met again: what they have is read anew. */
  renew(): void;
  /** Goes through the rows of the block, a few vectors at a time; and through the elements of a row. */
  forRows(body: (vectors: readonly Indices[]) => void): void;
  forElements(body: () => void): void;
  /** What rows have in scratch memory under a number. */
  place(number: number, dtype: DType, rows: Indices): Element;
}

/** Writes the passes over the rows of a block. */
class BlockWriter {
  readonly #stages: readonly Stage[];
  readonly #rowValues: readonly Expr[];
  readonly #context: KernelContext;
  readonly #around: Around;
  /** Stages that rows have in scratch memory: finished and unfinished reductions, and what is made of them. */
  readonly #kept: number[] = [];

  constructor({ stages, outer }: RowKernel, context: KernelContext, around: Around) {
    const taken = takeOutRowValues(stages, outer.length);
    this.#stages = taken.stages;
    this.#rowValues = taken.values;
    this.#context = context;
    this.#around = around;
  }

  /** How much each row has in scratch memory. */
  get kept(): number {
    return this.#kept.length;
  }

  pass({ sinks }: Pass): void {
    const stages = sinks.map((number) => ({ number, stage: this.#stages[number] as Stage }));
    this.#writeRowValues(stages.map(({ stage }) => (stage.kind === 'store' ? stage.store.value : stage.value)));
    const starts = stages.flatMap(({ number, stage }) => (stage.kind === 'reduce' ? [{ number, stage }] : []));
    this.#forRows(({ keep }, { builder }) =>
      starts.map(({ number, stage: { op, value } }) => keep(number, value.dtype, identity(builder, op, value.dtype))),
    );
    this.#around.forElements(() => {
      this.#forRows(({ expressions, keep, read }, { builder }) =>
        stages.map(({ number, stage }) => {
          if (stage.kind === 'store') return expressions.prepare(stage.store);
          const { op, value } = stage as Stage & { kind: 'reduce' };
          const total = read(number, value.dtype);
          const next = combine(builder, expressions.vectors, op, value.dtype, total, expressions.value(value));
          return keep(number, value.dtype, next);
        }),
      );
    });
  }

  rowStores(): void {
    const stores = this.#stages.flatMap((stage) =>
      stage.kind === 'store' && stage.domain === 'row' ? [stage.store] : [],
    );
    if (stores.length > 0) this.#forRows(({ expressions }) => stores.map((store) => expressions.prepare(store)));
  }

  /** What the expressions need that is made of finished reductions, and is not there yet. */
  #writeRowValues(exprs: readonly Expr[]): void {
    const first = this.#stages.length;
    const wanted = new Set<number>();
    visitExprs(exprs, (expr) => {
      if (expr.kind === 'stage' && expr.stage >= first && !this.#kept.includes(expr.stage)) wanted.add(expr.stage);
      const map = expr.kind === 'stage' ? this.#stages[expr.stage] : undefined;
      return map?.kind === 'map' ? [map.value] : undefined;
    });
    if (wanted.size === 0) return;
    this.#forRows(({ expressions, keep }) =>
      [...wanted].map((number) => {
        const expr = this.#rowValues[number - first] as Expr;
        return keep(number, expr.dtype, expressions.value(expr));
      }),
    );
  }

  /** At each vector of rows computes what `body` asks for, and then writes it. */
  #forRows(body: (at: Rows, indices: Indices) => readonly (() => void)[]): void {
    this.#around.renew();
    this.#around.forRows((vectors) => {
      const writes = vectors.map((indices) => body(this.#at(indices), indices));
      writes[0]?.forEach((_, i) => {
        for (const list of writes) list[i]?.();
      });
    });
  }

  #at(indices: Indices): Rows {
    const read = (number: number, dtype: DType): Value => expressions.read(this.#place(number, dtype, indices));
    const expressions: ExpressionValues = new ExpressionValues(indices, this.#context, {
      given: this.#around.given,
      accumulator: () => read(0, (this.#stages[0] as Stage & { kind: 'reduce' }).value.dtype),
      stage: (number) => {
        const stage = this.#stages[number];
        if (stage?.kind === 'map') return expressions.value(stage.value);
        const value = stage
          ? (stage as Stage & { kind: 'reduce' }).value
          : (this.#rowValues[number - this.#stages.length] as Expr);
        return read(number, value.dtype);
      },
    });
    const keep = (number: number, dtype: DType, value: Value): (() => void) => {
      const stored = indices.lanes > 1 ? expressions.vectors.splat(value, dtype) : value;
      return expressions.prepareWrite(this.#place(number, dtype, indices), stored);
    };
    return { expressions, read, keep };
  }

  #place(number: number, dtype: DType, rows: Indices): Element {
    if (!this.#kept.includes(number)) this.#kept.push(number);
    return this.#around.place(this.#kept.indexOf(number), dtype, rows);
  }
}

/** Some rows in lanes, or one. */
interface Rows {
  readonly expressions: ExpressionValues;
  read(number: number, dtype: DType): Value;
  keep(number: number, dtype: DType, value: Value): () => void;
}
