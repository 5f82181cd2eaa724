import type { DType } from '@evenkeel/tensor';
import type { Expr, Guard, Index, Store } from '@evenkeel/tensor/kernel';
import { comparison, floatBinary, floatUnary, literalOf, prefixOf, scalarType } from './arithmetic.ts';
import { convert } from './conversions.ts';
import type { PlainOp } from './encoder.ts';
import type { Indices } from './indices.ts';
import { inlineMath } from './inline-math.ts';
import { integerBinary, integerUnary } from './integers.ts';
import type { KernelContext } from './kernel-context.ts';
import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';
import { type Element, MemoryAccess } from './memory-access.ts';
import { Vectors } from './vectors.ts';

/** What an expression may refer to where it stands. */
export interface Surroundings {
  /** Address of the launch arguments, a float64 each. */
  readonly given: Value;
  stage?(stage: number): Value;
  accumulator?(): Value;
}

const mathOps = ['exp', 'log', 'sin', 'cos', 'tanh', 'erf', 'sigmoid'] as const;
const inFloat64 = (name: (typeof mathOps)[number]): name is 'sin' | 'cos' => name === 'sin' || name === 'cos';

/**
 * Expressions as values: a single one where it is the same in all lanes, else a vector of four. Every float32 operation
 * rounds, so a value is the same wherever it is computed.
 */
export class ExpressionValues {
  readonly builder: LoopBuilder;
  readonly indices: Indices;
  readonly vectors: Vectors;
  readonly #context: KernelContext;
  readonly #around: Surroundings;
  readonly #memory: MemoryAccess;
  #values = new Map<Expr, Value>();

  constructor(indices: Indices, context: KernelContext, around: Surroundings) {
    this.builder = indices.builder;
    this.indices = indices;
    this.vectors = new Vectors(this.builder, indices.lanes);
    this.#context = context;
    this.#around = around;
    this.#memory = new MemoryAccess(indices, this.vectors);
  }

  /** Loops have been left or entered: values that were computed in them are out of reach. */
  forget(): void {
    this.#values = new Map();
  }

  value(expr: Expr): Value {
    let value = this.#values.get(expr);
    if (!value) {
      value = this.#compute(expr);
      this.#values.set(expr, value);
    }
    return value;
  }

  /** Computes the stores' values; writes nothing before the returned function is called. */
  prepare({ operand, index, value }: Store): () => void {
    const stored = this.value(value);
    return this.prepareWrite(this.#element(operand, index, []), stored);
  }

  prepareWrite(element: Element, value: Value): () => void {
    const rounded = element.dtype === 'float16' ? this.#half(value) : value;
    return () => this.#memory.write(element, rounded);
  }

  read(element: Element): Value {
    return this.#memory.read(element);
  }

  #element(operand: number, index: Index, guards: readonly Guard[]): Element {
    const { indices } = this;
    const { dtype, address, isWritten } = indices.place(operand);
    const lanes = indices.linears(index);
    return { dtype, address, isWritten, lanes, guards: this.#guards(guards) };
  }

  #guards(guards: readonly Guard[]): Element['guards'] {
    const { indices } = this;
    return Array.from({ length: indices.lanes }, (_, lane) => guards.map((guard) => indices.linearGuard(guard, lane)));
  }

  #compute(expr: Expr): Value {
    const { builder } = this;
    switch (expr.kind) {
      case 'literal':
        return builder.number(scalarType(expr.dtype), literalOf(expr.dtype, expr.value));
      case 'argument': {
        const given = builder.load('f64.load', this.#around.given, { offset: 8 * expr.argument });
        return convert(this.builder, this.vectors, given, 'float64', expr.dtype);
      }
      case 'index':
        return this.#memory.indexValue(this.indices.linears(expr.index));
      case 'load':
        return this.read(this.#element(expr.operand, expr.index, expr.guards));
      case 'unary':
        return this.#unary(expr);
      case 'binary':
        return this.#binary(expr);
      case 'random': {
        const words = [...expr.key, expr.element, expr.stream].map((word) => this.value(word));
        const vectors = words.map((word) => this.vectors.splat(word, 'uint32'));
        const result = builder.call(this.#context.math.random(), 'v128', ...vectors);
        return words.some(({ type }) => type === 'v128') ? result : this.vectors.extract(result, 0, 'uint32');
      }
      case 'compare': {
        const [left, right] = this.#same([this.value(expr.left), this.value(expr.right)], expr.left.dtype);
        const mask = builder.op(
          comparison(expr.op, (left as Value).type, expr.left.dtype),
          left as Value,
          right as Value,
        );
        return this.vectors.toBools(mask, expr.left.dtype);
      }
      case 'where':
        return this.#choose(this.value(expr.condition), this.value(expr.then), this.value(expr.otherwise), expr.dtype);
      case 'guard': {
        const condition = this.#memory.condition(this.#guards(expr.guards));
        if (!condition) return this.value(expr.then);
        return this.#choose(condition, this.value(expr.then), this.value(expr.otherwise), expr.dtype);
      }
      case 'cast':
        return this.#cast(expr);
      case 'stage':
        return this.#around.stage?.(expr.stage) ?? missing('stage');
      case 'accumulator':
        return this.#around.accumulator?.() ?? missing('accumulator');
    }
  }

  #cast(expr: Expr & { kind: 'cast' }): Value {
    const value = convert(this.builder, this.vectors, this.value(expr.operand), expr.operand.dtype, expr.dtype);
    return expr.dtype === 'float16' ? this.#half(value) : value;
  }

  #half(value: Value): Value {
    return this.vectors.each('float32', ['float32'], [value], (element) => {
      return this.builder.call(this.#context.runtime.roundToHalf, 'f32', element);
    });
  }

  #same(values: readonly Value[], dtype: DType): Value[] {
    const isVector = values.some(({ type }) => type === 'v128');
    return isVector ? values.map((value) => this.vectors.splat(value, dtype)) : [...values];
  }

  #plain(left: Value, right: Value, dtype: DType, op: PlainOp): Value {
    return this.builder.op(op, ...this.#same([left, right], dtype));
  }

  #choose(condition: Value, then: Value, otherwise: Value, dtype: DType): Value {
    const { builder, vectors } = this;
    if (then === otherwise) return then;
    if (condition.type !== 'v128') {
      const [a, b] = this.#same([then, otherwise], dtype) as [Value, Value];
      return builder.select(condition, a, b);
    }
    // Conditions are all or nothing in each lane.
    const choose = this.#context.instructions === 'plain' ? 'v128.bitselect' : 'i32x4.relaxed_laneselect';
    const mask = vectors.maskOf(condition, dtype);
    return builder.op(choose, vectors.splat(then, dtype), vectors.splat(otherwise, dtype), mask);
  }

  #unary({ op, dtype, operand }: Expr & { kind: 'unary' }): Value {
    const { builder, vectors } = this;
    const value = this.value(operand);
    if (op === 'not') return value.type === 'v128' ? builder.op('v128.not', value) : builder.op('i32.eqz', value);
    if (scalarType(dtype) === 'i32') return integerUnary(vectors, builder, op, value, dtype);
    const plain = floatUnary[op];
    if (plain) return builder.op(`${prefixOf(value.type, dtype)}.${plain}` as PlainOp, value);
    if (op === 'sign') return this.#sign(value, dtype);
    const name = mathOps.find((one) => one === op);
    if (!name) throw new Error(`wasm backend: no ${op} of ${dtype}`);
    return this.#function(name, value, dtype);
  }

  /** Single elements go through vectors too, so that an element has the same bits wherever it stands. */
  #function(name: (typeof mathOps)[number], value: Value, dtype: DType): Value {
    const { builder, vectors } = this;
    const { math, instructions } = this.#context;
    const shape = dtype === 'float64' ? 'f64x2' : 'f32x4';
    if (inFloat64(name)) {
      if (shape === 'f64x2') {
        return vectors.each(dtype, [dtype], [value], (x) => builder.call(math.double(name), 'f64', x));
      }
    } else if (value.type === 'v128') {
      return inlineMath(builder, name, value, { shape, fused: instructions !== 'plain' });
    }
    const callee = shape === 'f32x4' ? math.single(name) : math.pair(name as 'exp');
    const result = builder.call(callee, 'v128', vectors.splat(value, dtype));
    return value.type === 'v128' ? result : vectors.extract(result, 0, dtype);
  }

  /** NaN and zeros as they are. */
  #sign(value: Value, dtype: DType): Value {
    const { builder, vectors } = this;
    const [shape, type] = [prefixOf(value.type, dtype), scalarType(dtype) as 'f32'];
    const isSigned = builder.op(
      `${shape}.gt` as PlainOp,
      builder.op(`${shape}.abs` as PlainOp, value),
      ...this.#like(value, builder.number(type, 0), dtype),
    );
    let one: Value;
    if (value.type === 'v128') {
      const bit = builder.op('v128.and', value, builder.splat(type, -0));
      one = builder.op('v128.or', bit, this.vectors.splat(builder.number(type, 1), dtype));
    } else {
      one = builder.op(`${type}.copysign`, builder.number(type, 1), value);
    }
    return this.#choose(vectors.toBools(isSigned, dtype), one, value, dtype);
  }

  #like(value: Value, other: Value, dtype: DType): [Value] {
    return [value.type === 'v128' ? this.vectors.splat(other, dtype) : other];
  }

  #binary({ op, dtype, left, right }: Expr & { kind: 'binary' }): Value {
    const { builder, vectors } = this;
    const a = this.value(left);
    if (op === 'pow' && right.kind === 'literal' && scalarType(dtype) !== 'i32') {
      const power = this.#smallPower(a, right.value, dtype);
      if (power) return power;
    }
    const b = this.value(right);
    if (scalarType(dtype) === 'i32') return integerBinary(vectors, this.#context.runtime, builder, op, a, b, dtype);
    const plain = floatBinary[op];
    if (plain) {
      const isVector = a.type === 'v128' || b.type === 'v128';
      return this.#plain(a, b, dtype, `${prefixOf(isVector ? 'v128' : a.type, dtype)}.${plain}` as PlainOp);
    }
    const { math, runtime } = this.#context;
    if (op === 'pow' && dtype !== 'float64') {
      const result = builder.call(math.single('pow'), 'v128', vectors.splat(a, dtype), vectors.splat(b, dtype));
      const isVector = a.type === 'v128' || b.type === 'v128';
      return isVector ? result : vectors.extract(result, 0, dtype);
    }
    const callee = op === 'pow' ? math.double('pow') : op === 'mod' ? runtime.modulo : runtime.floorDivide;
    return vectors.each(dtype, [dtype, dtype], [a, b], (x, y) => {
      const wide = [x, y].map((one) => convert(builder, vectors, one, dtype, 'float64')) as [Value, Value];
      return convert(builder, vectors, builder.call(callee, 'f64', ...wide), 'float64', dtype);
    });
  }

  #smallPower(base: Value, exponent: number, dtype: DType): Value | undefined {
    const { builder } = this;
    const one = builder.number(scalarType(dtype), 1);
    const size = Math.abs(exponent);
    // More negative ones would overflow in between.
    if (!Number.isInteger(exponent) || size > 4 || exponent < -1) return undefined;
    let power = size === 0 ? one : base;
    const prefix = prefixOf(base.type, dtype);
    for (let i = 1; i < size; i++) power = builder.op(`${prefix}.mul` as PlainOp, power, base);
    return exponent < 0 ? builder.op(`${prefix}.div` as PlainOp, ...this.#like(base, one, dtype), power) : power;
  }
}

function missing(what: string): never {
  throw new Error(`wasm backend: a kernel refers to its ${what}, which it does not have`);
}
