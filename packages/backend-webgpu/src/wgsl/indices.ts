import {
  alwaysHolds,
  type Guard,
  type Index,
  type Linear,
  type LinearGuard,
  LinearIndices,
  type Operand,
} from '@evenkeel/tensor/kernel';
import { count } from './axes.ts';
import type { Code, Value } from './code.ts';
import type { FunctionName } from './functions.ts';
import { innermost, stepOf } from './steps.ts';

type Term = Linear['terms'][number];

const INT32 = 2 ** 31;

/** What index printing needs of the kernel around it. */
export interface IndexContext {
  readonly code: Code;
  readonly operands: readonly Operand[];
  use(name: FunctionName): string;
  /** Reads an integer operand as i32; any element of it where the condition fails. */
  readInteger(operand: number, index: Value, condition: Value | undefined): Value;
}

/**
 * Four neighbours are computed at once, and this is number `number` of them: what is bound to the axes from `first` on, of
 * these sizes, counts fours of their positions.
 */
export interface Lane {
  readonly first: number;
  readonly sizes: readonly number[];
  readonly number: number;
}

/** Prints the indices of one kernel as i32, each part in the loop that it changes in. */
export class Indices {
  readonly #values = new Map<number, Value>();
  readonly #linears: LinearIndices;
  readonly #context: IndexContext;
  readonly #lane: Lane | undefined;
  /** The axis that counts fours. */
  readonly #fours: number;

  /** `sizes` of the kernel's axes, by axis number; those of a lane have a multiple of 4 positions. */
  constructor(sizes: readonly number[], context: IndexContext, lane?: Lane) {
    this.#context = context;
    this.#linears = new LinearIndices(sizes, context.operands);
    this.#lane = lane;
    this.#fours = sizes.length;
    if (!lane) return;
    const { space } = this.#linears;
    const fours = space.addAxis(count(lane.sizes) / 4);
    const position = space.add(space.mul(fours, 4), space.literal(lane.number));
    space.unravel(position, lane.sizes).forEach((index, i) => {
      this.#linears.substitute(lane.first + i, index);
    });
  }

  /** Axis `axis` has this value from now on. */
  bind(axis: number, value: Value): void {
    this.#values.set(axis, value);
  }

  /** Binds axes `first`, `first + 1` ... of `sizes` to the digits of a row-major position. */
  bindDigits(first: number, sizes: readonly number[], position: Value): void {
    if (sizes.length > 0 && first === this.#lane?.first) {
      this.bind(this.#fours, position);
      return;
    }
    const { code } = this.#context;
    let rest = position;
    const outermost = sizes.findIndex((size) => size !== 1);
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      // Where an axis has no elements nothing is computed, but it is compiled.
      const size = Math.max(1, sizes[axis] as number);
      if (sizes[axis] === 1) continue;
      if (axis === outermost) {
        this.bind(first + axis, rest);
        continue;
      }
      const isPowerOfTwo = (size & (size - 1)) === 0;
      this.bind(
        first + axis,
        code.define(isPowerOfTwo ? `${rest.text} & ${size - 1}` : `${rest.text} % ${size}`, 'i32', [rest]),
      );
      rest = code.define(isPowerOfTwo ? `${rest.text} >> ${Math.log2(size)}u` : `${rest.text} / ${size}`, 'i32', [
        rest,
      ]);
    }
  }

  value(index: Index): Value {
    return this.valueOf(this.#linears.of(index));
  }

  /** Whether the four neighbours are neighbours where `index` reads or writes, and start at a multiple of 4. */
  areNeighbours(index: Index): boolean {
    const inner = this.#lane && innermost(this.#lane.first, this.#lane.sizes);
    if (inner === undefined || Math.abs(stepOf(index, inner)) !== 1) return false;
    return this.#linears.of(index).terms.every(({ factor }) => factor % 4 === 0);
  }

  /** Which four elements, counted in fours, and which of them this lane's is, where they are neighbours. */
  fourOf(index: Index): { readonly at: Value; readonly element: number } {
    const at = this.valueOf(this.#linears.space.floorDiv(this.#linears.of(index), 4));
    return { at, element: this.elementOf(index) };
  }

  elementOf(index: Index): number {
    const { constant } = this.#linears.of(index);
    return constant - 4 * Math.floor(constant / 4);
  }

  /** Outer blocks' parts are added first, so that they leave the inner blocks. */
  valueOf(linear: Linear): Value {
    const { code } = this.#context;
    const parts = linear.terms.map((term) => this.#term(term));
    parts.sort((a, b) => a.scope.depth - b.scope.depth);
    const [first, ...others] = parts;
    // A constant index outside of its array does not compile, though nothing reads there.
    if (!first)
      return linear.constant < 0 ? code.literal(i32(linear.constant), 'i32') : code.given(`${linear.constant}`, 'i32');
    const start =
      linear.constant === 0 ? first : code.define(`${first.text} + ${i32(linear.constant)}`, 'i32', [first]);
    return others.reduce((sum, part) => code.define(`${sum.text} + ${part.text}`, 'i32', [sum, part]), start);
  }

  #term({ atom, factor }: Term): Value {
    const { code } = this.#context;
    let value: Value;
    if (atom.kind === 'axis') {
      value = this.#values.get(atom.axis) as Value;
    } else if (atom.kind === 'load') {
      const condition = this.#conjunction(atom.guards);
      value = this.#context.readInteger(atom.operand, this.valueOf(atom.base), condition);
      if (condition) value = code.define(`select(0, ${value.text}, ${condition.text})`, 'i32', [value, condition]);
    } else {
      value = this.#division(atom.kind, atom.base, atom.by);
    }
    return factor === 1 ? value : code.define(`${value.text} * ${i32(factor)}`, 'i32', [value]);
  }

  #division(kind: 'floorDiv' | 'mod', base: Linear, by: number): Value {
    const { code } = this.#context;
    const value = this.valueOf(base);
    const text = value.text;
    // The arithmetic shift and the mask round towards minus infinity.
    if ((by & (by - 1)) === 0) {
      return code.define(kind === 'floorDiv' ? `${text} >> ${Math.log2(by)}u` : `${text} & ${by - 1}`, 'i32', [value]);
    }
    if (base.min >= 0 && base.max < INT32) {
      return code.define(`${text} ${kind === 'floorDiv' ? '/' : '%'} ${by}`, 'i32', [value]);
    }
    const name = this.#context.use(kind === 'floorDiv' ? 'floorQuotient' : 'floorRemainder');
    return code.define(`${name}(${text}, ${by})`, 'i32', [value]);
  }

  /** The condition that all guards hold; undefined where they always do. */
  condition(guards: readonly Guard[]): Value | undefined {
    return this.#conjunction(guards.map((guard) => this.#linears.guard(guard)));
  }

  #conjunction(guards: readonly LinearGuard[]): Value | undefined {
    const { code } = this.#context;
    const conditions = guards.filter((guard) => !alwaysHolds(guard)).map((guard) => this.#guard(guard));
    conditions.sort((a, b) => a.scope.depth - b.scope.depth);
    const [first, ...others] = conditions;
    return others.reduce(
      (all, next) => code.define(`${all?.text} && ${next.text}`, 'bool', [all as Value, next]),
      first,
    );
  }

  #guard(guard: LinearGuard): Value {
    const { code } = this.#context;
    const { index } = guard;
    if (guard.kind === 'multiple') {
      const rest = this.valueOf(this.#linears.space.mod(index, guard.of));
      return code.define(`${rest.text} == 0`, 'bool', [rest]);
    }
    const { from, to } = guard;
    if (from >= to || index.max < from || index.min >= to) return code.given('false', 'bool');
    const value = this.valueOf(index);
    const fits = index.min >= -INT32 && index.max < INT32;
    if (fits && index.min >= from) return code.define(`${value.text} < ${i32(to)}`, 'bool', [value]);
    if (fits && index.max < to) return code.define(`${value.text} >= ${i32(from)}`, 'bool', [value]);
    // Both bounds in one comparison, also of what wrapped.
    return code.define(`u32(${value.text} - ${i32(from)}) < ${to - from}u`, 'bool', [value]);
  }
}

/** A whole number as WGSL writes it. */
export function i32(value: number): string {
  return value >= 0 ? `${value}` : `(${value})`;
}
