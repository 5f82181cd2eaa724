import type { FunctionBuilder, Local, PlainOp } from '../encoder.ts';

/** Four float32, two float64, or one float64. */
export type Shape = 'f32x4' | 'f64x2' | 'f64';

/** A number is the same in all lanes. */
export type Value = Local | number;

export interface ArithmeticOptions {
  /** Leaves `value` in all lanes on the stack; reads it from a global by default. In loops, it is better held in a local. */
  readonly constant?: (value: number) => void;
  /** Whether relaxed instructions may be used. */
  readonly fused?: boolean;
}

const formats = {
  f32x4: { type: 'v128', ints: 'i32x4', fraction: 23, bias: 127 },
  f64x2: { type: 'v128', ints: 'i64x2', fraction: 52, bias: 1023 },
  f64: { type: 'f64', ints: 'i64', fraction: 52, bias: 1023 },
} as const;

/**
 * Float arithmetic of one shape, written as formulas: each method emits one instruction (or a few) and gives the local
 * that holds the result. `end` lets later code have the locals.
 */
export class Arithmetic {
  readonly f: FunctionBuilder;
  readonly shape: Shape;
  readonly options: ArithmeticOptions;
  readonly #used: Local[] = [];

  constructor(f: FunctionBuilder, shape: Shape, options: ArithmeticOptions = {}) {
    this.f = f;
    this.shape = shape;
    this.options = options;
  }

  /** The value on the stack. */
  pop(): Local {
    return this.#keep(formats[this.shape].type);
  }

  push(value: Value): void {
    if (typeof value !== 'number') this.f.get(value);
    else if (this.options.constant) this.options.constant(value);
    else if (this.shape === 'f64') this.f.f64(value);
    else this.f.splat(this.shape === 'f32x4' ? 'f32' : 'f64', value);
  }

  /** Leaves `result` on the stack and releases all locals. */
  end(result: Value): void {
    this.push(result);
    this.f.release(...this.#used.splice(0));
  }

  add(a: Value, b: Value): Local {
    return this.#call('add', a, b);
  }

  sub(a: Value, b: Value): Local {
    return this.#call('sub', a, b);
  }

  mul(a: Value, b: Value): Local {
    return this.#call('mul', a, b);
  }

  div(a: Value, b: Value): Local {
    return this.#call('div', a, b);
  }

  /** a * b + c */
  madd(a: Value, b: Value, c: Value): Local {
    if (!this.options.fused || this.shape === 'f64') return this.add(this.mul(a, b), c);
    for (const value of [a, b, c]) this.push(value);
    this.f.op(`${this.shape}.relaxed_madd`);
    return this.pop();
  }

  neg(a: Value): Local {
    return this.#call('neg', a);
  }

  abs(a: Value): Local {
    return this.#call('abs', a);
  }

  floor(a: Value): Local {
    return this.#call('floor', a);
  }

  /** The nearest whole number, ties to even. */
  nearest(a: Value): Local {
    return this.#call('nearest', a);
  }

  /** `a`, or `low` where that is more; NaN stays. */
  atLeast(a: Value, low: number): Local {
    return this.#call(this.shape === 'f64' ? 'max' : 'pmax', a, low);
  }

  /** `a`, or `high` where that is less; NaN stays. */
  atMost(a: Value, high: number): Local {
    return this.#call(this.shape === 'f64' ? 'min' : 'pmin', a, high);
  }

  /** coefficients[0] + coefficients[1] * x + ... */
  polynomial(x: Value, coefficients: readonly number[]): Local {
    const reversed = [...coefficients].reverse();
    const [first = 0, second = 0, ...rest] = reversed;
    return rest.reduce((sum, coefficient) => this.madd(sum, x, coefficient), this.madd(first, x, second));
  }

  /** Conditions are masks of lanes, or an i32. */
  less(a: Value, b: Value): Local {
    return this.#compare('lt', a, b);
  }

  equal(a: Value, b: Value): Local {
    return this.#compare('eq', a, b);
  }

  notEqual(a: Value, b: Value): Local {
    return this.#compare('ne', a, b);
  }

  and(a: Local, b: Local): Local {
    this.f
      .get(a)
      .get(b)
      .op(this.shape === 'f64' ? 'i32.and' : 'v128.and');
    return this.#keep(a.type);
  }

  select(condition: Local, then: Value, otherwise: Value): Local {
    this.push(then);
    this.push(otherwise);
    const choose = this.options.fused ? 'i32x4.relaxed_laneselect' : 'v128.bitselect';
    this.f.get(condition).op(this.shape === 'f64' ? 'select' : choose);
    return this.pop();
  }

  /** -|a| */
  negativeSize(a: Value): Local {
    if (this.shape === 'f64') return this.neg(this.abs(a));
    return this.#call('or', a, -0);
  }

  /** `size` (not negative) with the sign of `sign`. */
  withSign(size: Value, sign: Value): Local {
    if (this.shape === 'f64') return this.#call('copysign', size, sign);
    this.push(sign);
    this.push(-0);
    this.f.op('v128.and');
    this.push(size);
    this.f.op('v128.or');
    return this.pop();
  }

  /**
   * The whole number n nearest to a * b, and 2^n as a product of two normal numbers: n may be up to twice as large as
   * normal numbers' exponents are.
   */
  powerOfTwo(a: Value, b: Value): { readonly n: Local; readonly factors: readonly [Local, Local] } {
    const { fraction, bias } = formats[this.shape];
    // The sum's low bits are n + 2 bias, which two shares have between them; it has no room for a fraction.
    const offset = 1.5 * 2 ** fraction + 2 * bias;
    const sum = this.madd(a, b, offset);
    const first = this.#integer('shr_u', sum, 1);
    const second = this.#integer('sub', sum, first);
    // What stands above the exponent is shifted out.
    const factors = [this.#integer('shl', first, fraction), this.#integer('shl', second, fraction)] as const;
    return { n: this.sub(sum, offset), factors };
  }

  /** The whole number n nearest to a * b, and its last binary digit as a condition, the one before as a sign; + 1 where told. */
  turns(a: Value, b: Value, more: 0 | 1): { readonly n: Local; readonly isOdd: Local; readonly sign: Local } {
    const { fraction } = formats[this.shape];
    const offset = 1.5 * 2 ** fraction;
    const sum = this.madd(a, b, offset);
    const digits = more === 0 ? sum : this.add(sum, more);
    const width = fraction === 23 ? 32 : 64;
    const isOdd = this.#integer('shr_s', this.#integer('shl', digits, width - 1), width - 1);
    const sign = this.#call('and', this.#integer('shl', digits, width - 2), -0);
    return { n: this.sub(sum, offset), isOdd, sign };
  }

  /** `a`, turned to -a where `sign` is negative. */
  withTurned(a: Local, sign: Local): Local {
    return this.#call('xor', a, sign);
  }

  /** fraction in [1, 2) and exponent of a normal x > 0. */
  split(x: Value): { fraction: Local; exponent: Local } {
    const { ints, fraction: digits, bias } = formats[this.shape];
    const whole = 2 ** digits;
    this.#bits(x);
    if (ints === 'i64') this.f.i64(BigInt(digits));
    else this.f.i32(digits);
    this.f.op(`${ints}.shr_u`);
    this.#bits(whole);
    this.f.op(ints === 'i64' ? 'i64.or' : 'v128.or');
    this.#floats();
    const exponent = this.sub(this.pop(), whole + bias);
    this.#bits(x);
    // The subnormal number with all digits set.
    this.#bits((whole - 1) * 2 ** (1 - bias - digits));
    this.f.op(ints === 'i64' ? 'i64.and' : 'v128.and');
    this.#bits(1);
    this.f.op(ints === 'i64' ? 'i64.or' : 'v128.or');
    this.#floats();
    return { fraction: this.pop(), exponent };
  }

  /** Whole-number arithmetic on the bits of numbers. */
  #integer(op: 'shl' | 'shr_s' | 'shr_u' | 'sub', a: Local, b: Local | number): Local {
    const { ints } = formats[this.shape];
    this.#bits(a);
    if (typeof b !== 'number') this.#bits(b);
    else if (ints === 'i64') this.f.i64(BigInt(b));
    else this.f.i32(b);
    this.f.op(`${ints}.${op}`);
    this.#floats();
    return this.pop();
  }

  #bits(value: Value): void {
    this.push(value);
    if (this.shape === 'f64') this.f.op('i64.reinterpret_f64');
  }

  #floats(): void {
    if (this.shape === 'f64') this.f.op('f64.reinterpret_i64');
  }

  #call(name: string, ...operands: readonly Value[]): Local {
    for (const operand of operands) this.push(operand);
    const isBitwise = name === 'and' || name === 'or' || name === 'xor';
    this.f.op(`${isBitwise ? 'v128' : this.shape}.${name}` as PlainOp);
    return this.pop();
  }

  #compare(name: 'lt' | 'eq' | 'ne', a: Value, b: Value): Local {
    this.push(a);
    this.push(b);
    this.f.op(`${this.shape}.${name}`);
    return this.#keep(this.shape === 'f64' ? 'i32' : 'v128');
  }

  #keep(type: Local['type']): Local {
    const local = this.f.local(type);
    this.#used.push(local);
    this.f.set(local);
    return local;
  }
}
