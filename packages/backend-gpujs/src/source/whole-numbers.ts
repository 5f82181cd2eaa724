import type { Value } from './code.ts';
import type { Program } from './program.ts';

export type WholeType = 'int32' | 'uint32';

/**
 * A 32-bit whole number in floats: `high * 65536 + low`, `low` from 0 to 65535, the sign in `high`. One that floats hold
 * anyhow, such as an index, is taken apart only where it must be.
 */
export class Whole {
  readonly type: WholeType;
  /** The number in one float, where that is exact. */
  readonly exact: Value | undefined;
  readonly #parts: () => readonly [Value, Value];

  constructor(type: WholeType, parts: () => readonly [Value, Value], exact?: Value) {
    this.type = type;
    this.exact = exact;
    this.#parts = parts;
  }

  get high(): Value {
    return this.#parts()[0];
  }

  get low(): Value {
    return this.#parts()[1];
  }

  /** The innermost block that it depends on. */
  get scope(): Value['scope'] {
    if (this.exact) return this.exact.scope;
    const { high, low } = this;
    return high.scope.depth > low.scope.depth ? high.scope : low.scope;
  }
}

export function isWhole(dtype: string): dtype is WholeType {
  return dtype === 'int32' || dtype === 'uint32';
}

/** High and low part of a number. */
export function partsOf(value: number): [number, number] {
  const high = Math.floor(value / 65536);
  return [high, value - high * 65536];
}

/** 32-bit arithmetic, modulo 2^32, of floats that never leave the whole numbers below 2^24. */
export class WholeNumbers {
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
  }

  literal(type: WholeType, value: number): Whole {
    const [high, low] = partsOf(type === 'int32' ? value | 0 : value >>> 0).map((part) => this.#program.number(part));
    const exact = Math.abs(value) < 2 ** 24 ? this.#program.number(value) : undefined;
    return new Whole(type, () => [high as Value, low as Value], exact);
  }

  /** A float that holds a whole number below 2^24. */
  exact(type: WholeType, value: Value): Whole {
    return new Whole(type, () => this.#split(value), value);
  }

  joined(type: WholeType, high: Value, low: Value): Whole {
    return new Whole(type, () => [high, low]);
  }

  /** The nearest float. */
  float({ exact, high, low }: Whole): Value {
    return exact ?? this.#float(`${high.text} * 65536 + ${low.text}`, high, low);
  }

  truth(a: Whole): Value {
    if (a.exact) return this.#truth(`${a.exact.text} > 0 || ${a.exact.text} < 0`, a.exact);
    return this.#truth(`${a.high.text} > 0 || ${a.high.text} < 0 || ${a.low.text} > 0`, a.high, a.low);
  }

  isLess(a: Whole, b: Whole): Value {
    if (a.exact && b.exact) return this.#truth(`${a.exact.text} < ${b.exact.text}`, a.exact, b.exact);
    const text = `${a.high.text} < ${b.high.text} || (${a.high.text} == ${b.high.text} && ${a.low.text} < ${b.low.text})`;
    return this.#truth(text, a.high, a.low, b.high, b.low);
  }

  isEqual(a: Whole, b: Whole): Value {
    const [x, y] = [a.exact, b.exact];
    if (x && y) return this.#truth(`${x.text} == ${y.text} || ${x.text} == ${y.text}`, x, y);
    const text = `${a.high.text} == ${b.high.text} && ${a.low.text} == ${b.low.text}`;
    return this.#truth(text, a.high, a.low, b.high, b.low);
  }

  select(condition: Value, a: Whole, b: Whole): Whole {
    const either = (x: Value, y: Value): Value =>
      this.#float(`${condition.text} ? ${x.text} : ${y.text}`, condition, x, y);
    if (a.exact && b.exact) return this.exact(a.type, either(a.exact, b.exact));
    return this.joined(a.type, either(a.high, b.high), either(a.low, b.low));
  }

  add(a: Whole, b: Whole): Whole {
    const [carry, low] = this.#split(this.#float(`${a.low.text} + ${b.low.text}`, a.low, b.low));
    const high = this.#float(`${a.high.text} + ${b.high.text} + ${carry.text}`, a.high, b.high, carry);
    return this.joined(a.type, this.#wrap(a.type, high), low);
  }

  subtract(a: Whole, b: Whole): Whole {
    const [carry, low] = this.#split(this.#float(`${a.low.text} - ${b.low.text}`, a.low, b.low));
    const high = this.#float(`${a.high.text} - ${b.high.text} + ${carry.text}`, a.high, b.high, carry);
    return this.joined(a.type, this.#wrap(a.type, high), low);
  }

  negative(a: Whole): Whole {
    return this.subtract(this.literal(a.type, 0), a);
  }

  absolute(a: Whole): Whole {
    return a.type === 'uint32' ? a : this.select(this.isLess(a, this.literal(a.type, 0)), this.negative(a), a);
  }

  max(a: Whole, b: Whole): Whole {
    return this.select(this.isLess(a, b), b, a);
  }

  min(a: Whole, b: Whole): Whole {
    return this.select(this.isLess(b, a), b, a);
  }

  sign(a: Whole): Whole {
    const [zero, one, minusOne] = [0, 1, -1].map((value) => this.literal(a.type, value)) as [Whole, Whole, Whole];
    const positive = this.select(this.truth(a), one, zero);
    return a.type === 'uint32' ? positive : this.select(this.isLess(a, zero), minusOne, positive);
  }

  /** Products of a part with a byte are below 2^24. */
  multiply(a: Whole, b: Whole): Whole {
    const [upper, lower] = this.#product(a.low, b.low);
    const [, cross] = this.#product(b.low, a.high);
    const [, other] = this.#product(a.low, b.high);
    const high = this.#float(`${upper.text} + ${cross.text} + ${other.text}`, upper, cross, other);
    return this.joined(a.type, this.#wrap(a.type, high), lower);
  }

  /** Towards minus infinity; 0 by 0. */
  quotient(a: Whole, b: Whole): Whole {
    const size = this.#divided(a, b, 0);
    if (a.type === 'uint32') return size;
    const zero = this.literal(a.type, 0);
    const rest = this.#divided(a, b, 2);
    const down = this.subtract(this.negative(size), this.select(this.truth(rest), this.literal(a.type, 1), zero));
    return this.select(this.#signsDiffer(a, b), down, size);
  }

  /** `a - quotient(a, b) * b`; 0 where b is 0. */
  remainder(a: Whole, b: Whole): Whole {
    if (a.type === 'uint32') return this.#divided(a, b, 2);
    const rest = this.subtract(a, this.multiply(this.quotient(a, b), b));
    return this.select(this.truth(b), rest, this.literal(a.type, 0));
  }

  cast(a: Whole, type: WholeType): Whole {
    if (a.type === type) return a;
    return this.joined(type, this.#wrap(type, a.high), a.low);
  }

  /** The whole part, or the nearest number there is; 0 of NaN. */
  fromFloat(type: WholeType, value: Value): Whole {
    const high = this.#program.call(type === 'int32' ? 'int32High' : 'uint32High', value);
    return this.joined(type, high, this.#program.call('wholeLow', value, high));
  }

  #signsDiffer(a: Whole, b: Whole): Value {
    const text = `(${a.high.text} < 0 && ${b.high.text} >= 0) || (${a.high.text} >= 0 && ${b.high.text} < 0)`;
    return this.#truth(text, a.high, b.high);
  }

  /** Quotient (from part 0 on) or remainder (2) of the absolute values. */
  #divided(a: Whole, b: Whole, part: number): Whole {
    const [x, y] = [this.absolute(a), this.absolute(b)];
    // The absolute value of the least int32 is itself: as an unsigned number it is right.
    const [p, q] = [this.cast(x, 'uint32'), this.cast(y, 'uint32')];
    const parts = [part, part + 1].map((which) => {
      return this.#program.call('longDivision', p.high, p.low, q.high, q.low, this.#program.number(which));
    }) as [Value, Value];
    return this.cast(this.joined('uint32', ...parts), a.type);
  }

  /** Modulo 2^32: what is above 65535, and the rest; `b` may be negative. */
  #product(a: Value, b: Value): [Value, Value] {
    const [second, first] = this.#split(a, 256);
    const [carry, rest] = this.#split(this.#float(`${first.text} * ${b.text}`, first, b));
    const [upper, lower] = this.#split(this.#float(`${second.text} * ${b.text}`, second, b), 256);
    const [more, low] = this.#split(this.#float(`${rest.text} + ${lower.text} * 256`, rest, lower));
    return [this.#float(`${carry.text} + ${upper.text} + ${more.text}`, carry, upper, more), low];
  }

  /** floor(value / by), and what is left. */
  #split(value: Value, by = 65536): [Value, Value] {
    const above = this.#float(`Math.floor(${value.text} * ${1 / by})`, value);
    return [above, this.#float(`${value.text} - ${above.text} * ${by}`, value, above)];
  }

  /** A high part modulo 65536, in the range of the type. */
  #wrap(type: WholeType, high: Value): Value {
    if (type === 'uint32') return this.#split(high)[1];
    const [, rest] = this.#split(this.#float(`${high.text} + 32768`, high));
    return this.#float(`${rest.text} - 32768`, rest);
  }

  #float(text: string, ...operands: readonly Value[]): Value {
    return this.#program.code.define(text, 'float', operands);
  }

  #truth(text: string, ...operands: readonly Value[]): Value {
    return this.#program.code.define(text, 'bool', operands);
  }
}
