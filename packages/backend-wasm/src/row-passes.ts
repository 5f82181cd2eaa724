import type { DType } from '@evenkeel/tensor';
import type { Pass, RowKernel, RowPlan, Stage } from '@evenkeel/tensor/kernel';
import type { Local } from './encoder.ts';
import { ExpressionValues } from './expressions.ts';
import type { Indices } from './indices.ts';
import type { KernelContext } from './kernel-context.ts';
import { type GroupRange, LaneLoop } from './lane-loop.ts';
import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';
import type { Element } from './memory-access.ts';
import { combine, combineLanes, identity } from './reduction.ts';
import type { VectorAxis } from './vector-axis.ts';
import { Vectors } from './vectors.ts';
import { loopOver } from './work-split.ts';

/** What `spill` needs. */
export const SPILL_BYTES = 64;

export interface RowOptions {
  readonly given: Value;
  /** Inner axis that is computed in lanes, and how many vectors at a time. */
  readonly vector?: VectorAxis | undefined;
  /** Memory where vectors that are combined go through it. */
  readonly spill?: Value | undefined;
  /** Where the kept stage of this number is, and the number of the row's first element there. */
  kept(number: number): { readonly address: Value; readonly start?: Value };
}

/** A part of a row: of the axis in lanes, or of one other inner axis. */
export type RowPart =
  | { readonly groups: GroupRange }
  | { readonly axis: number; readonly from: Value; readonly to: Value };

const dtypeOfStage = (stage: Stage): DType => (stage as { value: { dtype: DType } }).value.dtype;

/** One of several vectors (or single elements) that are computed together. */
interface Member {
  readonly indices: Indices;
  readonly number: number;
  readonly count: number;
}

const membersOf = (vectors: readonly Indices[]): Member[] => {
  return vectors.map((indices, number) => ({ indices, number, count: vectors.length }));
};

/** Writes the passes over one row, or over neighbouring rows in the lanes of one or several vectors. */
export class RowPasses {
  readonly #kernel: RowKernel;
  readonly #plan: RowPlan;
  readonly #context: KernelContext;
  readonly #options: RowOptions;
  /** Finished reductions, one for each vector of rows. */
  readonly #reduced = new Map<number, readonly Value[]>();

  constructor(kernel: RowKernel, plan: RowPlan, context: KernelContext, options: RowOptions) {
    this.#kernel = kernel;
    this.#plan = plan;
    this.#context = context;
    this.#options = options;
  }

  /** Gives a finished reduction's value. */
  setReduced(stage: number, value: Value): void {
    this.#reduced.set(stage, [value]);
  }

  reduced(stage: number): Value {
    return this.#reduced.get(stage)?.[0] as Value;
  }

  write(rows: readonly Indices[], { sinks, reverse }: Pass, part?: RowPart): void {
    const { builder, lanes } = rows[0] as Indices;
    const vectors = new Vectors(builder, this.#options.vector?.lanes ?? lanes);
    const { stages } = this.#kernel;
    const single = new Map<number, Local[]>();
    const inLanes = new Map<number, Local[]>();
    for (const sink of sinks) {
      const stage = stages[sink] as Stage;
      if (stage.kind !== 'reduce' && stage.kind !== 'scan') continue;
      const start = identity(builder, stage.op, stage.value.dtype);
      const variables = (count: number, initial: Value): Local[] => {
        return Array.from({ length: count }, () => builder.variable(initial));
      };
      const splat = vectors.splat(start, stage.value.dtype);
      single.set(sink, variables(rows.length, lanes > 1 ? splat : start));
      inLanes.set(sink, variables(this.#options.vector?.units ?? 0, splat));
    }
    this.#elements(rows, reverse, part, (elements) => {
      const variables = (elements[0] as Indices).lanes > lanes ? inLanes : single;
      this.#element(elements, sinks, variables);
    });
    for (const sink of sinks) {
      const stage = stages[sink] as Stage;
      if (stage.kind !== 'reduce') continue;
      const totals = single.get(sink) as Local[];
      const partial = inLanes.get(sink) as Local[];
      if (partial.length > 0) {
        const lanesOf = combineLanes(builder, vectors, stage, this.#gather(builder, partial));
        const total = totals[0] as Local;
        builder.assign(total, combine(builder, vectors, stage.op, stage.value.dtype, lanesOf, builder.current(total)));
      }
      const finished = totals.map((total) => builder.snapshot(total));
      this.#reduced.set(sink, finished);
    }
  }

  rowStores(rows: readonly Indices[]): void {
    const prepared = membersOf(rows).map((row) => {
      const expressions = this.#expressions(row, new Map());
      return this.#plan.rowStores.map((store) => expressions.prepare(store));
    });
    writeAll(prepared);
  }

  /** What vectors hold. V8 fuses pairs of vectors only where they end in neighbouring stores: they go through memory. */
  #gather(builder: LoopBuilder, partial: readonly Local[]): Value[] {
    const { spill } = this.#options;
    if (!spill || partial.length === 1) return partial.map((local) => builder.current(local));
    partial.forEach((local, i) => {
      builder.store('v128.store', spill, builder.current(local), 16 * i);
    });
    return partial.map((_, i) => builder.perform('v128', [spill], (f) => f.memory('v128.load', 16 * i)));
  }

  #element(elements: readonly Indices[], sinks: readonly number[], variables: ReadonlyMap<number, Local[]>): void {
    writeAll(membersOf(elements).map((member) => this.#prepare(member, sinks, variables)));
  }

  /** Computes all stages at one vector of elements; what it writes is left to the returned functions. */
  #prepare(member: Member, sinks: readonly number[], variables: ReadonlyMap<number, Local[]>): (() => void)[] {
    const { builder } = member.indices;
    const here = new Map<number, Value>();
    const expressions = this.#expressions(member, here);
    const { vectors } = expressions;
    const writes: (() => void)[] = [];
    for (const sink of sinks) {
      const stage = this.#kernel.stages[sink] as Stage;
      if (stage.kind === 'store') {
        writes.push(expressions.prepare(stage.store));
        continue;
      }
      const value = expressions.value(stage.value);
      if (stage.kind === 'map') {
        here.set(sink, value);
      } else {
        const variable = variables.get(sink)?.[member.number] as Local;
        const next = combine(builder, vectors, stage.op, stage.value.dtype, builder.current(variable), value);
        builder.assign(variable, next);
        if (stage.kind === 'scan') here.set(sink, builder.snapshot(variable));
      }
      if (this.#plan.kept.has(sink) && stage.kind !== 'reduce') {
        writes.push(expressions.prepareWrite(this.#kept(sink, member), here.get(sink) as Value));
      }
    }
    return writes;
  }

  #expressions(member: Member, here: ReadonlyMap<number, Value>): ExpressionValues {
    const { indices, number: place } = member;
    const expressions: ExpressionValues = new ExpressionValues(indices, this.#context, {
      given: this.#options.given,
      // A contraction as rows: its sum is the first stage.
      accumulator: () => (this.#reduced.get(0)?.[place] ?? this.#reduced.get(0)?.[0]) as Value,
      stage: (number) => {
        const reduced = this.#reduced.get(number);
        if (reduced) return (reduced[place] ?? reduced[0]) as Value;
        const value = here.get(number);
        if (value) return value;
        if (this.#plan.kept.has(number)) return expressions.read(this.#kept(number, member));
        return expressions.value((this.#kernel.stages[number] as Stage & { kind: 'map' }).value);
      },
    });
    return expressions;
  }

  /** The element of a kept stage. Rows in lanes lie interleaved. */
  #kept(stage: number, { indices, number, count }: Member): Element {
    const { outer, inner, stages } = this.#kernel;
    const { builder, space } = indices;
    const { address, start } = this.#options.kept([...this.#plan.kept].indexOf(stage));
    const dtype = dtypeOfStage(stages[stage] as Stage);
    const isInterleaved = indices.lanes > 1 && this.#options.vector === undefined;
    const lanes = Array.from({ length: indices.lanes }, (_, lane) => {
      let position = space.literal(0);
      inner.forEach((size, axis) => {
        position = space.add(space.mul(position, size), indices.axis(outer.length + axis, lane));
      });
      if (!isInterleaved) return position;
      return space.add(space.mul(position, indices.lanes * count), space.literal(indices.lanes * number + lane));
    });
    const bytes = dtype === 'bool' ? 1 : dtype === 'float64' ? 8 : 4;
    const first = start ? builder.op('i32.add', address, builder.op('i32.mul', start, builder.i32(bytes))) : address;
    return { dtype, address: first, isWritten: true, lanes, guards: lanes.map(() => []) };
  }

  #elements(
    rows: readonly Indices[],
    reverse: boolean,
    part: RowPart | undefined,
    visit: (vectors: readonly Indices[]) => void,
  ): void {
    const { outer, inner } = this.#kernel;
    const { vector } = this.#options;
    const row = rows[0] as Indices;
    const axes = inner.map((size, i) => ({ axis: outer.length + i, size })).filter(({ axis }) => axis !== vector?.axis);
    const partial = part && 'axis' in part ? part : undefined;
    const whole = axes.filter(({ axis }) => axis !== partial?.axis);
    const innermost = (): void => {
      if (!vector) visit(rows);
      else {
        const size = inner[vector.axis - outer.length] as number;
        new LaneLoop(vector, size).write(row, part && 'groups' in part ? part.groups : {}, visit);
      }
    };
    const rest = (): void => loopOver(rows, whole, innermost, { reverse });
    if (!partial) rest();
    else {
      row.builder.loop(partial.from, partial.to, (counter) => {
        const linear = row.counter(inner[partial.axis - outer.length] as number, counter);
        row.bind(partial.axis, () => linear);
        rest();
      });
    }
  }
}

/** What vectors that were computed together write: store by store, neighbours one after the other. */
function writeAll(members: readonly (readonly (() => void)[])[]): void {
  members[0]?.forEach((_, write) => {
    for (const writes of members) writes[write]?.();
  });
}
