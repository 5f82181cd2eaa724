import type { DType } from '@evenkeel/tensor';
import type { Pass, RowKernel, RowPlan, Stage } from '@evenkeel/tensor/kernel';
import type { Local } from './encoder.ts';
import { ExpressionValues } from './expressions.ts';
import { type Indices, LANES } from './indices.ts';
import type { KernelContext } from './kernel-context.ts';
import type { Value } from './loop-values.ts';
import type { Element } from './memory-access.ts';
import { combine, identity } from './reduction.ts';
import { Vectors } from './vectors.ts';
import { type GroupRange, LaneLoop, loopOver } from './work-split.ts';

export interface RowOptions {
  readonly given: Value;
  /** Inner axis that is computed in lanes. */
  readonly vector?: number | undefined;
  /** Where the kept stage of this number is, and the number of the row's first element there. */
  kept(number: number): { readonly address: Value; readonly start?: Value };
}

/** A part of a row: of the axis in lanes, or of one other inner axis. */
export type RowPart =
  | { readonly groups: GroupRange }
  | { readonly axis: number; readonly from: Value; readonly to: Value };

const dtypeOfStage = (stage: Stage): DType => (stage as { value: { dtype: DType } }).value.dtype;

/** Writes the passes over one row, or over four neighbouring rows in lanes. */
export class RowPasses {
  readonly #kernel: RowKernel;
  readonly #plan: RowPlan;
  readonly #context: KernelContext;
  readonly #options: RowOptions;
  /** Finished reductions. */
  readonly #reduced = new Map<number, Local>();

  constructor(kernel: RowKernel, plan: RowPlan, context: KernelContext, options: RowOptions) {
    this.#kernel = kernel;
    this.#plan = plan;
    this.#context = context;
    this.#options = options;
  }

  /** Gives a finished reduction's value. */
  setReduced(stage: number, value: Local): void {
    this.#reduced.set(stage, value);
  }

  reduced(stage: number): Local {
    return this.#reduced.get(stage) as Local;
  }

  write(row: Indices, { sinks, reverse }: Pass, part?: RowPart): void {
    const { builder } = row;
    const vectors = new Vectors(builder);
    const { stages } = this.#kernel;
    const single = new Map<number, Local>();
    const inLanes = new Map<number, Local>();
    for (const sink of sinks) {
      const stage = stages[sink] as Stage;
      if (stage.kind !== 'reduce' && stage.kind !== 'scan') continue;
      const start = identity(builder, stage.op, stage.value.dtype);
      const lanes = (): Local => builder.variable(vectors.splat(start, stage.value.dtype));
      single.set(sink, row.lanes > 1 ? lanes() : builder.variable(start));
      if (this.#options.vector !== undefined) inLanes.set(sink, lanes());
    }
    this.#elements(row, reverse, part, (indices) => {
      const variables = indices.lanes > row.lanes ? inLanes : single;
      this.#element(indices, sinks, variables);
    });
    for (const sink of sinks) {
      const stage = stages[sink] as Stage;
      if (stage.kind !== 'reduce') continue;
      const total = single.get(sink) as Local;
      const lanes = inLanes.get(sink);
      if (lanes) {
        const { dtype } = stage.value;
        const [a, b, c, d] = [0, 1, 2, 3].map((i) => vectors.extract(builder.current(lanes), i, dtype)) as Value[];
        const join = (x: Value, y: Value): Value => combine(builder, vectors, stage.op, dtype, x, y);
        const sum = join(join(a as Value, b as Value), join(c as Value, d as Value));
        builder.assign(total, join(sum, builder.current(total)));
      }
      this.#reduced.set(sink, total);
    }
  }

  rowStores(row: Indices): void {
    const expressions = this.#expressions(row, new Map());
    for (const write of this.#plan.rowStores.map((store) => expressions.prepare(store))) write();
  }

  #element(indices: Indices, sinks: readonly number[], variables: ReadonlyMap<number, Local>): void {
    const { builder } = indices;
    const here = new Map<number, Value>();
    const expressions = this.#expressions(indices, here);
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
        const variable = variables.get(sink) as Local;
        const next = combine(builder, vectors, stage.op, stage.value.dtype, builder.current(variable), value);
        builder.assign(variable, next);
        if (stage.kind === 'scan')
          here.set(
            sink,
            builder.perform(variable.type, [], (f) => f.get(variable)),
          );
      }
      if (this.#plan.kept.has(sink) && stage.kind !== 'reduce') {
        writes.push(expressions.prepareWrite(this.#kept(sink, indices), here.get(sink) as Value));
      }
    }
    for (const write of writes) write();
  }

  #expressions(indices: Indices, here: ReadonlyMap<number, Value>): ExpressionValues {
    const expressions: ExpressionValues = new ExpressionValues(indices, this.#context, {
      given: this.#options.given,
      stage: (number) => {
        const reduced = this.#reduced.get(number);
        if (reduced) return indices.builder.current(reduced);
        const value = here.get(number);
        if (value) return value;
        if (this.#plan.kept.has(number)) return expressions.read(this.#kept(number, indices));
        return expressions.value((this.#kernel.stages[number] as Stage & { kind: 'map' }).value);
      },
    });
    return expressions;
  }

  /** The element of a kept stage. Rows in lanes lie interleaved. */
  #kept(stage: number, indices: Indices): Element {
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
      return isInterleaved ? space.add(space.mul(position, LANES), space.literal(lane)) : position;
    });
    const bytes = dtype === 'bool' ? 1 : dtype === 'float64' ? 8 : 4;
    const first = start ? builder.op('i32.add', address, builder.op('i32.mul', start, builder.i32(bytes))) : address;
    return { dtype, address: first, isWritten: true, lanes, guards: lanes.map(() => []) };
  }

  #elements(row: Indices, reverse: boolean, part: RowPart | undefined, visit: (indices: Indices) => void): void {
    const { outer, inner } = this.#kernel;
    const { vector } = this.#options;
    const { builder } = row;
    const axes = inner.map((size, i) => ({ axis: outer.length + i, size })).filter(({ axis }) => axis !== vector);
    const partial = part && 'axis' in part ? part : undefined;
    const whole = axes.filter(({ axis }) => axis !== partial?.axis);
    const innermost = (): void => {
      if (vector === undefined) visit(row);
      else {
        const size = inner[vector - outer.length] as number;
        new LaneLoop(vector, size).write(row, part && 'groups' in part ? part.groups : {}, visit);
      }
    };
    const rest = (): void => loopOver(builder, row, whole, innermost, { reverse });
    if (!partial) rest();
    else {
      builder.loop(partial.from, partial.to, (counter) => {
        const linear = row.counter(inner[partial.axis - outer.length] as number, counter);
        row.bind(partial.axis, () => linear);
        rest();
      });
    }
  }
}
