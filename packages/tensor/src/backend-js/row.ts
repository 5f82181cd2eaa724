import type { Expr, ReduceOp, RowKernel, Stage, Store } from '../kernel/ir.ts';
import { type Pass, planRow, type RowPlan } from '../kernel/row-plan.ts';
import type { DType } from '../types/dtype.ts';
import { elementCount, stridesOf } from '../types/shape.ts';
import { ExpressionValues } from './expression-values.ts';
import { IndexValues } from './index-values.ts';
import { LoopBuilder } from './loop-builder.ts';
import type { ArrayReference, Local, LoopProgram, Value } from './loops.ts';
import { operandNames } from './operand-names.ts';
import type { Primitive } from './primitives.ts';

/** A row kernel as loops. Scratch array `i` holds `scratchLengths[i]` elements: one for each stage kept for a later pass. */
export function lowerRow(kernel: RowKernel): { program: LoopProgram; scratchLengths: number[] } {
  const plan = planRow(kernel);
  const lowering = new RowLowering(kernel, plan);
  const rowLength = elementCount(kernel.inner);
  return { program: lowering.lower(), scratchLengths: [...plan.kept].map(() => rowLength) };
}

const dtypeOfStage = (stage: Stage): DType => (stage as { value: Expr }).value.dtype;

class RowLowering {
  readonly #kernel: RowKernel;
  readonly #plan: RowPlan;
  readonly #builder: LoopBuilder;
  readonly #indices: IndexValues;
  readonly #expressions: ExpressionValues;
  /** Where later passes find a stage: a finished reduction's variable. */
  readonly #reduced = new Map<number, Local>();
  /** Stages that this pass has computed at the current element. */
  #here = new Map<number, Value>();

  constructor(kernel: RowKernel, plan: RowPlan) {
    this.#kernel = kernel;
    this.#plan = plan;
    const isWritten = (array: ArrayReference): boolean => {
      if (array.kind === 'operand') return kernel.operands[array.number]?.access !== 'in';
      return array.kind === 'scratch';
    };
    this.#builder = new LoopBuilder(isWritten);
    this.#indices = new IndexValues(this.#builder, [...kernel.outer, ...kernel.inner], kernel.operands);
    const stores = kernel.stages.flatMap((stage) => (stage.kind === 'store' ? [stage.store] : []));
    const context = { operands: kernel.operands, arguments: kernel.arguments, stage: (s: number) => this.#stage(s) };
    this.#expressions = new ExpressionValues(this.#builder, this.#indices, context, stores);
  }

  lower(): LoopProgram {
    this.#loops('o', this.#kernel.outer, 0, false, () => {
      for (const pass of this.#plan.passes) this.#pass(pass);
      this.#expressions.forget();
      this.#store(this.#plan.rowStores);
    });
    return this.#builder.finish('row', operandNames(this.#kernel.operands));
  }

  #loops(letter: string, sizes: readonly number[], first: number, reverse: boolean, body: () => void): void {
    const builder = this.#builder;
    const open = (axis: number): void => {
      const size = sizes[axis];
      if (size === undefined) {
        body();
        return;
      }
      if (size === 1) {
        open(axis + 1);
        return;
      }
      const enter = (index: Value): void => {
        this.#indices.bind(first + axis, index);
        open(axis + 1);
      };
      builder.loop(`${letter}${axis}`, builder.number(0), builder.number(size), enter, { reverse });
    };
    open(0);
  }

  #pass({ sinks, reverse }: Pass): void {
    const builder = this.#builder;
    const { outer, inner, stages } = this.#kernel;
    const variables = new Map<number, Local>();
    for (const sink of sinks) {
      const stage = stages[sink] as Stage;
      if (stage.kind !== 'reduce' && stage.kind !== 'scan') continue;
      const initial = builder.number(identityOf(stage.op, stage.value.dtype));
      variables.set(sink, builder.variable(stage.op, initial));
    }
    this.#expressions.forget();
    this.#loops('r', inner, outer.length, reverse, () => {
      this.#here = new Map();
      const writes: (() => void)[] = [];
      for (const sink of sinks) {
        const stage = stages[sink] as Stage;
        if (stage.kind === 'store') {
          writes.push(this.#expressions.prepareStore(stage.store));
          continue;
        }
        const value = this.#expressions.asNumber(this.#expressions.value(stage.value), stage.value.dtype);
        if (stage.kind === 'map') {
          this.#here.set(sink, value);
        } else {
          const variable = variables.get(sink) as Local;
          const next = combine(builder, stage.op, stage.value.dtype, builder.current(variable), value);
          builder.assign(variable, next);
          if (stage.kind === 'scan') this.#here.set(sink, next);
        }
        if (this.#plan.kept.has(sink) && stage.kind !== 'reduce') {
          const kept = this.#here.get(sink) as Value;
          writes.push(() => builder.write(this.#scratch(sink), this.#position(), kept));
        }
      }
      for (const write of writes) write();
    });
    for (const sink of sinks) {
      if (stages[sink]?.kind === 'reduce') this.#reduced.set(sink, variables.get(sink) as Local);
    }
    this.#here = new Map();
    this.#expressions.forget();
  }

  #store(stores: readonly Store[]): void {
    for (const write of stores.map((store) => this.#expressions.prepareStore(store))) write();
  }

  #stage(number: number): Value {
    const stage = this.#kernel.stages[number] as Stage;
    const dtype = dtypeOfStage(stage);
    const variable = this.#reduced.get(number);
    if (variable) return this.#expressions.fromNumber(this.#builder.current(variable), dtype);
    const here = this.#here.get(number);
    if (here) return this.#expressions.fromNumber(here, dtype);
    if (this.#plan.kept.has(number)) {
      return this.#expressions.fromNumber(this.#builder.read(this.#scratch(number), this.#position()), dtype);
    }
    return this.#expressions.value((stage as { value: Expr }).value);
  }

  #scratch(stage: number): ArrayReference {
    return { kind: 'scratch', number: [...this.#plan.kept].indexOf(stage) };
  }

  /** Number of the current element in its row. */
  #position(): Value {
    const { outer, inner } = this.#kernel;
    const axes = inner.map((_, axis) => this.#indices.axis(outer.length + axis));
    return this.#indices.valueOf(this.#indices.space.dot(axes, stridesOf(inner)));
  }
}

const integerReduce: Record<'int32' | 'uint32', Record<'sum' | 'prod', Primitive>> = {
  int32: { sum: 'addInt', prod: 'mulInt' },
  uint32: { sum: 'addUint', prod: 'mulUint' },
};

function combine(builder: LoopBuilder, op: ReduceOp, dtype: DType, total: Value, value: Value): Value {
  if (op === 'max' || op === 'min') return builder.call(op, total, value);
  const isInteger = dtype === 'int32' || dtype === 'uint32';
  const primitive = isInteger ? integerReduce[dtype][op] : op === 'sum' ? 'add' : 'mul';
  return builder.call(primitive, total, value);
}

function identityOf(op: ReduceOp, dtype: DType): number {
  if (op === 'sum') return 0;
  if (op === 'prod') return 1;
  const low = { int32: -(2 ** 31), uint32: 0, bool: 0 } as Partial<Record<DType, number>>;
  const high = { int32: 2 ** 31 - 1, uint32: 2 ** 32 - 1, bool: 1 } as Partial<Record<DType, number>>;
  return op === 'max' ? (low[dtype] ?? Number.NEGATIVE_INFINITY) : (high[dtype] ?? Number.POSITIVE_INFINITY);
}
