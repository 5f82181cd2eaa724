import { alwaysHolds, type IndexSpace, type Linear, type LinearGuard } from '../kernel/index-math.ts';
import type { Guard, Index, Operand } from '../kernel/ir.ts';
import { LinearIndices } from '../kernel/linear-indices.ts';
import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loops.ts';

type Term = Linear['terms'][number];

const INT32 = 2 ** 31;

/** Prints the indices of one kernel: simplified over the loops' sizes, each part computed in the loop that it changes in. */
export class IndexValues {
  readonly #loops = new Map<number, Value>();
  readonly #linears: LinearIndices;
  readonly #builder: LoopBuilder;

  /** `sizes` of the kernel's axes, by axis number. */
  constructor(builder: LoopBuilder, sizes: readonly number[], operands: readonly Operand[]) {
    this.#builder = builder;
    this.#linears = new LinearIndices(sizes, operands);
  }

  /** Axis `axis` is `loop` from now on. */
  bind(axis: number, loop: Value): void {
    this.#loops.set(axis, loop);
  }

  get space(): IndexSpace {
    return this.#linears.space;
  }

  axis(axis: number): Linear {
    return this.#linears.axis(axis);
  }

  /** Axis `axis` is another index from now on. */
  substitute(axis: number, by: Linear): void {
    this.#linears.substitute(axis, by);
  }

  linear(index: Index): Linear {
    return this.#linears.of(index);
  }

  value(index: Index): Value {
    return this.valueOf(this.linear(index));
  }

  /** `linear`, and `plus`. Outer loops' parts are added first, so that they leave the inner loops. */
  valueOf(linear: Linear, ...plus: readonly Value[]): Value {
    const builder = this.#builder;
    const parts = [...plus, ...linear.terms.map((term) => this.#term(term))];
    parts.sort((a, b) => a.scope.depth - b.scope.depth);
    if (linear.constant !== 0 || parts.length === 0) {
      const constant = builder.number(linear.constant);
      const [first] = parts;
      if (!first) return constant;
      parts[0] = builder.call('add', first, constant);
    }
    return parts.reduce((sum, part) => builder.call('add', sum, part));
  }

  #term({ atom, factor }: Term): Value {
    const builder = this.#builder;
    let value: Value;
    if (atom.kind === 'axis') {
      value = this.#loops.get(atom.axis) as Value;
    } else if (atom.kind === 'load') {
      const guard = this.#conjunction(atom.guards);
      value = builder.read({ kind: 'operand', number: atom.operand }, this.valueOf(atom.base), { guard });
    } else {
      value = this.#division(atom.kind, atom.base, atom.by);
    }
    return factor === 1 ? value : builder.call('mul', value, builder.number(factor));
  }

  #division(kind: 'floorDiv' | 'mod', base: Linear, by: number): Value {
    const builder = this.#builder;
    const value = this.valueOf(base);
    const isInt = base.min >= -INT32 && base.max < INT32;
    if (isInt && (by & (by - 1)) === 0) {
      return kind === 'floorDiv'
        ? builder.call('shiftDown', value, builder.number(Math.log2(by)))
        : builder.call('mask', value, builder.number(by - 1));
    }
    const isPlain = isInt && base.min >= 0;
    const primitive =
      kind === 'floorDiv' ? (isPlain ? 'quotient' : 'floorQuotient') : isPlain ? 'remainder' : 'floorRemainder';
    return builder.call(primitive, value, builder.number(by));
  }

  /** The condition that all guards hold; undefined where they always do. */
  condition(guards: readonly Guard[]): Value | undefined {
    return this.#conjunction(guards.map((guard) => this.#linears.guard(guard)));
  }

  #conjunction(guards: readonly LinearGuard[]): Value | undefined {
    const conditions = guards
      .filter((guard) => !alwaysHolds(guard))
      .map((guard) => this.#guard(guard))
      .sort((a, b) => a.scope.depth - b.scope.depth);
    if (conditions.length === 0) return undefined;
    return conditions.reduce((all, next) => {
      if (all.form.kind === 'number') return all.form.value ? next : all;
      if (next.form.kind === 'number') return next.form.value ? all : next;
      return all === next ? all : this.#builder.call('and', all, next);
    });
  }

  #guard(guard: LinearGuard): Value {
    const builder = this.#builder;
    const { index } = guard;
    if (guard.kind === 'multiple') {
      return builder.call('equal', this.valueOf(this.space.mod(index, guard.of)), builder.number(0));
    }
    const { from, to } = guard;
    if (index.max < from || index.min >= to) return builder.number(0);
    if (index.min >= from) return builder.call('less', this.valueOf(index), builder.number(to));
    if (index.max < to) return builder.call('lessEqual', builder.number(from), this.valueOf(index));
    const offset = this.space.add(index, this.space.literal(-from));
    if (offset.min >= -INT32 && offset.max < INT32) {
      return builder.call('isBelow', this.valueOf(offset), builder.number(to - from));
    }
    const value = this.valueOf(index);
    return builder.call(
      'and',
      builder.call('lessEqual', builder.number(from), value),
      builder.call('less', value, builder.number(to)),
    );
  }
}
