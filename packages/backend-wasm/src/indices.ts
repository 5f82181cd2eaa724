import type { DType } from '@evenkeel/tensor';
import {
  alwaysHolds,
  type Guard,
  type Index,
  IndexSpace,
  type Linear,
  type LinearGuard,
} from '@evenkeel/tensor/kernel';
import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';

type Term = Linear['terms'][number];

const INT32 = 2 ** 31;

export const LANES = 4;

/** Where an operand lies and what it holds. */
export interface Place {
  readonly dtype: DType;
  readonly address: Value;
  /** The kernel writes it: what is read from it stays where it is read. */
  readonly isWritten: boolean;
}

/**
 * Indices of one kernel as code, for `lanes` neighbouring elements at once. Each kernel axis stands for an index over
 * the loops that are open, one for each lane; arithmetic on them is exact, so equal lanes and lanes in sequence are seen.
 */
export class Indices {
  readonly builder: LoopBuilder;
  readonly space: IndexSpace;
  readonly lanes: number;
  readonly places: readonly Place[];
  readonly #loops: Map<number, Value>;
  readonly #axes: Linear[][];
  /** By axis: what it is ahead from lane to lane; undefined where that differs. */
  readonly #strides: (number | undefined)[] = [];
  readonly #linears: Map<Index, Linear>[];

  constructor(
    builder: LoopBuilder,
    places: readonly Place[],
    { lanes = 1, like }: { lanes?: number; like?: Indices } = {},
  ) {
    this.builder = builder;
    this.lanes = lanes;
    this.places = places;
    this.space = like?.space ?? new IndexSpace();
    this.#loops = like ? like.#loops : new Map();
    const known = like ? like.#axes : [];
    this.#axes = Array.from({ length: lanes }, (_, lane) => [...(known[Math.min(lane, known.length - 1)] ?? [])]);
    this.#strides = like && like.lanes === lanes ? [...like.#strides] : (known[0] ?? []).map(() => 0);
    this.#linears = Array.from({ length: lanes }, () => new Map());
  }

  /** An index that counts a loop of `size` turns, whose counter is `loop`. */
  counter(size: number, loop: Value): Linear {
    const linear = this.space.addAxis(size);
    this.#loops.set(this.space.sizes.length - 1, loop);
    return linear;
  }

  /** Kernel axis `axis` is `index`; in each lane as `ofLane` says. */
  bind(axis: number, ofLane: (lane: number) => Linear): void {
    this.#axes.forEach((axes, lane) => {
      axes[axis] = ofLane(lane);
    });
    const [, step, ...more] = this.steps(this.#axes.map((axes) => axes[axis] as Linear)) ?? [];
    this.#strides[axis] =
      this.lanes === 1 ? 0 : more.every((ahead, i) => ahead === (i + 2) * (step as number)) ? step : undefined;
    for (const known of this.#linears) known.clear();
  }

  /** An index in all lanes. */
  linears(index: Index): Linear[] {
    const stride = this.lanes > 1 ? this.stride(index) : undefined;
    if (stride === undefined) return this.#axes.map((_, lane) => this.linear(index, lane));
    const first = this.linear(index);
    return this.#axes.map((_, lane) =>
      lane * stride === 0 ? first : this.space.add(first, this.space.literal(lane * stride)),
    );
  }

  /** What an index is ahead from lane to lane; undefined where that differs or takes more to see. */
  stride(index: Index): number | undefined {
    switch (index.kind) {
      case 'literal':
        return 0;
      case 'axis':
        return this.#strides[index.axis];
      case 'add': {
        const [left, right] = [this.stride(index.left), this.stride(index.right)];
        return left === undefined || right === undefined ? undefined : left + right;
      }
      case 'mul': {
        const left = this.stride(index.left);
        return left === undefined ? undefined : left * index.by;
      }
      case 'floorDiv':
      case 'mod':
        return this.stride(index.left) === 0 ? 0 : undefined;
      case 'load':
        return [index, ...index.guards].every((part) => this.stride(part.index) === 0) ? 0 : undefined;
    }
  }

  linear(index: Index, lane = 0): Linear {
    const known = this.#linears[lane]?.get(index);
    if (known) return known;
    const linear = this.#convert(index, lane);
    this.#linears[lane]?.set(index, linear);
    return linear;
  }

  axis(axis: number, lane = 0): Linear {
    return this.#axes[lane]?.[axis] as Linear;
  }

  #convert(index: Index, lane: number): Linear {
    const { space } = this;
    switch (index.kind) {
      case 'literal':
        return space.literal(index.value);
      case 'axis':
        return this.axis(index.axis, lane);
      case 'add':
        return space.add(this.linear(index.left, lane), this.linear(index.right, lane));
      case 'mul':
        return space.mul(this.linear(index.left, lane), index.by);
      case 'floorDiv':
        return space.floorDiv(this.linear(index.left, lane), index.by);
      case 'mod':
        return space.mod(this.linear(index.left, lane), index.by);
      case 'load': {
        const unsigned = this.place(index.operand).dtype === 'uint32';
        const bounds = unsigned ? { min: 0, max: 2 * INT32 - 1 } : { min: -INT32, max: INT32 - 1 };
        const guards = index.guards.map((guard) => this.linearGuard(guard, lane));
        return space.load(index.operand, this.linear(index.index, lane), guards, bounds);
      }
    }
  }

  linearGuard(guard: Guard, lane: number): LinearGuard {
    const index = this.linear(guard.index, lane);
    return guard.kind === 'range' ? { ...guard, index } : { ...guard, index };
  }

  place(operand: number): Place {
    return this.places[operand] as Place;
  }

  /** `linear`, and `plus`. Outer loops' parts are added first, so that they leave the inner loops. */
  value(linear: Linear, ...plus: readonly Value[]): Value {
    const { builder } = this;
    const parts = [...plus, ...linear.terms.map((term) => this.#term(term))];
    parts.push(builder.i32(linear.constant));
    parts.sort((a, b) => a.scope.depth - b.scope.depth);
    return parts.reduce((sum, part) => builder.op('i32.add', sum, part));
  }

  #term({ atom, factor }: Term): Value {
    const { builder } = this;
    let value: Value;
    if (atom.kind === 'axis') {
      value = this.#loops.get(atom.axis) as Value;
    } else if (atom.kind === 'load') {
      const { dtype, address, isWritten } = this.place(atom.operand);
      const guard = this.conjunction(atom.guards);
      const at = this.value(this.space.mul(atom.base, dtype === 'bool' ? 1 : 4), address);
      value = builder.load(dtype === 'bool' ? 'i32.load8_u' : 'i32.load', at, { guard, volatile: isWritten });
    } else {
      value = this.#division(atom.kind, atom.base, atom.by);
    }
    const isPower = factor > 0 && (factor & (factor - 1)) === 0;
    return isPower
      ? builder.op('i32.shl', value, builder.i32(Math.log2(factor)))
      : builder.op('i32.mul', value, builder.i32(factor));
  }

  #division(kind: 'floorDiv' | 'mod', base: Linear, by: number): Value {
    const { builder } = this;
    const value = this.value(base);
    const divisor = builder.i32(by);
    if (base.max < INT32 && (by & (by - 1)) === 0) {
      if (kind === 'mod') return builder.op('i32.and', value, builder.i32(by - 1));
      return builder.op('i32.shr_s', value, builder.i32(Math.log2(by)));
    }
    if (base.min >= 0) return builder.op(kind === 'mod' ? 'i32.rem_u' : 'i32.div_u', value, divisor);
    const rest = builder.op('i32.rem_s', value, divisor);
    const isNegative = builder.op('i32.shr_s', rest, builder.i32(31));
    if (kind === 'mod') return builder.op('i32.add', rest, builder.op('i32.and', isNegative, divisor));
    return builder.op('i32.add', builder.op('i32.div_s', value, divisor), isNegative);
  }

  /** The condition that all guards hold; undefined where they always do. */
  conjunction(guards: readonly LinearGuard[]): Value | undefined {
    const conditions = guards
      .filter((guard) => !alwaysHolds(guard))
      .map((guard) => this.#holds(guard))
      .sort((a, b) => a.scope.depth - b.scope.depth);
    const isFalse = conditions.find(({ form }) => form.kind === 'number' && form.value === 0);
    if (isFalse) return isFalse;
    const open = [...new Set(conditions.filter(({ form }) => form.kind !== 'number'))];
    if (open.length === 0) return undefined;
    return open.reduce((all, next) => this.builder.op('i32.and', all, next));
  }

  #holds(guard: LinearGuard): Value {
    const { builder, space } = this;
    const { index } = guard;
    if (guard.kind === 'multiple') return builder.op('i32.eqz', this.value(space.mod(index, guard.of)));
    const { from, to } = guard;
    if (from >= to || index.max < from || index.min >= to) return builder.i32(0);
    return builder.op('i32.lt_u', this.value(space.add(index, space.literal(-from))), builder.i32(to - from));
  }

  /** By how much each lane is ahead of the first; undefined where that is not constant. */
  steps(linears: readonly Linear[]): number[] | undefined {
    const { terms, constant } = linears[0] as Linear;
    if (linears.every((linear) => haveSameTerms(linear.terms, terms))) {
      return linears.map((linear) => linear.constant - constant);
    }
    const back = this.space.mul(linears[0] as Linear, -1);
    const steps = linears.map((linear) => this.space.add(linear, back));
    return steps.every((step) => step.terms.length === 0) ? steps.map((step) => step.constant) : undefined;
  }
}

function haveSameTerms(one: readonly Term[], other: readonly Term[]): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  return one.every(({ atom, factor }, i) => atom === other[i]?.atom && factor === other[i]?.factor);
}
