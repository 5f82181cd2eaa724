import {
  alwaysHolds,
  type Guard,
  type Index,
  type Linear,
  type LinearGuard,
  LinearIndices,
  type Operand,
} from '@evenkeel/tensor/kernel';
import type { Value } from './code.ts';
import { EXACT, type Program } from './program.ts';
import { Refusal } from './refusal.ts';

type Term = Linear['terms'][number];

/** Prints the indices of one kernel as floats that hold whole numbers, each part in the loop that it changes in. */
export class Indices {
  readonly #values = new Map<number, Value>();
  readonly #linears: LinearIndices;
  readonly #program: Program;

  /** `sizes` of the kernel's axes, by axis number. */
  constructor(sizes: readonly number[], program: Program) {
    this.#program = program;
    this.#linears = new LinearIndices(sizes, program.operands);
  }

  /** Axis `axis` has this value from now on. */
  bind(axis: number, value: Value): void {
    this.#values.set(axis, value);
  }

  /** Whether a store writes its elements by fours that differ in one axis alone. */
  storesByFours(index: Index): boolean {
    const unit = this.#linears.of(index).terms.find(({ factor }) => factor === 1);
    return unit?.atom.kind === 'axis' && (unit.atom.max + 1) % 4 === 0;
  }

  /** Binds the axes of which a store's index is made, so that it is this thread's number, or one of the next three. */
  bindStore(index: Index, next = 0): void {
    const { code, thread } = this.#program;
    const linear = this.#linears.of(index);
    const terms = [...linear.terms].sort((a, b) => b.factor - a.factor);
    let rest = thread;
    for (const { atom, factor } of terms) {
      if (atom.kind !== 'axis' || linear.constant !== 0)
        throw new Refusal('a store whose index cannot be turned round');
      if (factor === 1) {
        this.bind(atom.axis, next === 0 ? rest : code.define(`${rest.text} + ${next}`, 'float', [rest]));
        continue;
      }
      const quotient = this.#quotient(rest, factor);
      this.bind(atom.axis, quotient);
      rest = code.define(`${rest.text} - ${quotient.text} * ${factor}`, 'float', [rest, quotient]);
    }
  }

  /** Binds axes `first` ... to the digits of a row-major position. */
  bindDigits(first: number, sizes: readonly number[], position: Value): void {
    const { code } = this.#program;
    let rest = position;
    // Where an axis has no elements nothing is computed, but it is printed.
    let stride = sizes.reduce((all, size) => all * Math.max(1, size), 1);
    sizes.forEach((size, i) => {
      if (size === 1) return;
      stride /= Math.max(1, size);
      if (stride === 1) {
        this.bind(first + i, rest);
        return;
      }
      const quotient = this.#quotient(rest, stride);
      this.bind(first + i, quotient);
      rest = code.define(`${rest.text} - ${quotient.text} * ${stride}`, 'float', [rest, quotient]);
    });
  }

  value(index: Index): Value {
    return this.#valueOf(this.#linears.of(index));
  }

  /** Outer blocks' parts are added first, so that they leave the inner blocks. */
  #valueOf(linear: Linear): Value {
    const { code } = this.#program;
    checkExact(linear);
    const parts = linear.terms.map((term) => this.#term(term));
    parts.sort((a, b) => a.scope.depth - b.scope.depth);
    const [first, ...others] = parts;
    if (!first) return this.#program.number(linear.constant);
    const constant = this.#program.number(linear.constant);
    const start = linear.constant === 0 ? first : code.define(`${first.text} + ${constant.text}`, 'float', [first]);
    return others.reduce((sum, part) => code.define(`${sum.text} + ${part.text}`, 'float', [sum, part]), start);
  }

  #term({ atom, factor }: Term): Value {
    const { code } = this.#program;
    let value: Value;
    if (atom.kind === 'axis') value = this.#values.get(atom.axis) as Value;
    else if (atom.kind === 'load') {
      const array = { kind: 'operand', number: atom.operand } as const;
      const { dtype } = this.#program.operands[atom.operand] as Operand;
      const index = this.#valueOf(atom.base);
      value = this.#program.numeric(this.#program.load(array, dtype, index, this.#conjunction(atom.guards)));
    } else {
      const base = this.#valueOf(atom.base);
      value = this.#quotient(base, atom.by);
      if (atom.kind === 'mod') {
        value = code.define(`${base.text} - ${value.text} * ${atom.by}`, 'float', [base, value]);
      }
    }
    if (factor === 1) return value;
    return code.define(`${value.text} * ${this.#program.number(factor).text}`, 'float', [value]);
  }

  #quotient(value: Value, by: number): Value {
    const { code } = this.#program;
    if (by === 1) return value;
    // The product with a power of two is exact.
    if ((by & (by - 1)) === 0) return code.define(`Math.floor(${value.text} * ${1 / by})`, 'float', [value]);
    return this.#program.call('floorQuotient', value, code.given(`${by}`));
  }

  /** The condition that all guards hold; undefined where they always do. */
  condition(guards: readonly Guard[]): Value | undefined {
    return this.#conjunction(guards.map((guard) => this.#linears.guard(guard)));
  }

  #conjunction(guards: readonly LinearGuard[]): Value | undefined {
    const { code } = this.#program;
    const conditions = guards.filter((guard) => !alwaysHolds(guard)).map((guard) => this.#guard(guard));
    conditions.sort((a, b) => a.scope.depth - b.scope.depth);
    const [first, ...others] = conditions;
    return others.reduce(
      (all, next) => code.define(`${all?.text} && ${next.text}`, 'bool', [all as Value, next]),
      first,
    );
  }

  #guard(guard: LinearGuard): Value {
    const { code } = this.#program;
    const { index } = guard;
    if (guard.kind === 'multiple') {
      const rest = this.#valueOf(this.#linears.space.mod(index, guard.of));
      return code.define(`${rest.text} < 1`, 'bool', [rest]);
    }
    const { from, to } = guard;
    const value = this.#valueOf(index);
    const [before, end] = [this.#program.number(from - 1), this.#program.number(to)];
    if (index.min >= from) return code.define(`${value.text} < ${end.text}`, 'bool', [value]);
    if (index.max < to) return code.define(`${value.text} > ${before.text}`, 'bool', [value]);
    return code.define(`${value.text} > ${before.text} && ${value.text} < ${end.text}`, 'bool', [value]);
  }
}

/** Refuses what floats do not count exactly. What is read from a buffer is guarded: it counts nothing here. */
function checkExact(linear: Linear): void {
  const [min, max] = boundsOf(linear);
  if (min > -EXACT && max < EXACT) return;
  if (!(min <= max)) return; // an axis without elements has no index
  throw new Refusal(`an index of ${min < -EXACT ? min : max} is above gpu.js's limit of 2^24 elements`);
}

function boundsOf({ terms, constant }: Linear): [number, number] {
  let [min, max] = [constant, constant];
  for (const { atom, factor } of terms) {
    if (atom.kind === 'load' || (atom.kind !== 'axis' && readsBuffer(atom.base))) continue;
    min += factor * (factor > 0 ? atom.min : atom.max);
    max += factor * (factor > 0 ? atom.max : atom.min);
  }
  return [min, max];
}

function readsBuffer({ terms }: Linear): boolean {
  return terms.some(({ atom }) => atom.kind === 'load' || (atom.kind !== 'axis' && readsBuffer(atom.base)));
}
