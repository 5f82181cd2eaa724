import type { Contraction, Linear } from '@evenkeel/tensor/kernel';
import { argumentsOffset } from '../emitted-kernel.ts';
import type { FunctionBuilder } from '../encoder.ts';
import { ExpressionValues } from '../expressions.ts';
import { Indices, type LANES, type Place } from '../indices.ts';
import type { KernelContext } from '../kernel-context.ts';
import { LoopBuilder } from '../loop-builder.ts';
import type { Value } from '../loop-values.ts';
import type { Group } from './blocking.ts';

/** One function of a contraction under construction: its loops, its memory, and its expressions at some position. */
export class Site {
  readonly builder: LoopBuilder;
  readonly kernel: Contraction;
  /** The position on the kernel's axes as far as it is fixed; copies fix the rest. */
  readonly indices: Indices;
  readonly chunk: Value;
  readonly threadMemory: Value;
  readonly sharedMemory: Value;
  readonly #context: KernelContext;
  readonly #places: Place[];
  readonly #given: Value;

  /** `shared`: float32 operands behind the kernel's own, at offsets in shared memory. */
  constructor(f: FunctionBuilder, kernel: Contraction, context: KernelContext, shared: readonly number[] = []) {
    this.builder = new LoopBuilder(f);
    this.kernel = kernel;
    this.#context = context;
    const table = this.builder.parameter(0);
    this.chunk = this.builder.parameter(1);
    this.threadMemory = this.builder.parameter(2);
    this.sharedMemory = this.builder.parameter(3);
    this.#places = kernel.operands.map(({ dtype, access }, i) => ({
      dtype,
      address: this.builder.load('i32.load', table, { offset: 4 * i }),
      isWritten: access !== 'in',
    }));
    for (const offset of shared) {
      const address = this.builder.op('i32.add', this.sharedMemory, this.builder.i32(offset));
      this.#places.push({ dtype: 'float32', address, isWritten: false });
    }
    this.#given = this.builder.op('i32.add', table, this.builder.i32(argumentsOffset(kernel.operands.length)));
    this.indices = new Indices(this.builder, this.#places);
  }

  /** Whether what happens to two neighbouring vectors is done at once. */
  get joinsVectors(): boolean {
    return this.#context.instructions === 'wide';
  }

  /** A position of its own, with `lanes` lanes, starting from what is fixed. */
  at(lanes: 1 | typeof LANES, from: Indices = this.indices): Indices {
    return new Indices(this.builder, this.#places, { lanes, like: from });
  }

  /** A position that stands for all positions: arithmetic knows its bounds and nothing else. It is not for code. */
  anywhere(lanes: 1 | typeof LANES): Indices {
    const indices = this.at(lanes);
    const { batch, m, n, k } = this.kernel;
    [...batch, ...m, ...n, ...k].forEach((size, axis) => {
      const counter = this.indices.counter(Math.max(2, size), this.builder.i32(0));
      indices.bind(axis, () => counter);
    });
    return indices;
  }

  expressions(indices: Indices, accumulator?: Value): ExpressionValues {
    return new ExpressionValues(indices, this.#context, {
      given: this.#given,
      ...(accumulator && { accumulator: () => accumulator }),
    });
  }

  /** Sets the axes of a group from the number of an element among all of the group's, by lane. */
  place(indices: Indices, group: Group, ofLane: (lane: number) => Linear): void {
    const lanes = Array.from({ length: indices.lanes }, (_, lane) => {
      return indices.space.unravel(ofLane(lane), group.sizes);
    });
    group.axes.forEach((axis, i) => {
      indices.bind(axis, (lane) => lanes[lane]?.[i] as Linear);
    });
  }

  /** address + offset + index * by */
  address(base: Value, linear: Linear, by: number): Value {
    return this.indices.value(this.indices.space.mul(linear, by), base);
  }

  /** min(most, total - start) */
  atMost(most: number, total: number, start: Linear): Value {
    const { builder } = this;
    if (total % most === 0 || total <= most) return builder.i32(Math.min(most, total));
    const left = builder.op('i32.sub', builder.i32(total), this.indices.value(start));
    return builder.select(builder.op('i32.lt_s', left, builder.i32(most)), left, builder.i32(most));
  }

  /** A loop whose counter may be used in indices. */
  loop(from: Value, to: Value, size: number, body: (counter: Linear, value: Value) => void): void {
    this.builder.loop(from, to, (value) => body(this.indices.counter(Math.max(2, size), value), value));
  }
}
