import type { BinaryOp, CompareOp, UnaryOp } from '../graph/node.ts';
import type { Expr, Operand, Store } from '../kernel/ir.ts';
import { type DType, isFloat } from '../types/dtype.ts';
import { singleExp } from './exponential.ts';
import type { IndexValues } from './index-values.ts';
import type { LoopBuilder } from './loop-builder.ts';
import type { Precision, Value } from './loops.ts';
import type { Primitive } from './primitives.ts';
import { threefry } from './threefry.ts';

/** What an expression may refer to in the kernel that holds it. */
export interface ExpressionContext {
  readonly operands: readonly Operand[];
  readonly arguments: readonly DType[];
  stage?(stage: number): Value;
  accumulator?(): Value;
}

const precisionOf: Record<DType, Precision> = {
  float16: 16,
  float32: 32,
  float64: 64,
  int32: 64,
  uint32: 64,
  bool: 64,
};

const integerOps: Partial<Record<BinaryOp, { int32: Primitive; uint32: Primitive }>> = {
  add: { int32: 'addInt', uint32: 'addUint' },
  sub: { int32: 'subInt', uint32: 'subUint' },
  mul: { int32: 'mulInt', uint32: 'mulUint' },
  floorDiv: { int32: 'floorDivideInt', uint32: 'floorDivideUint' },
  mod: { int32: 'moduloInt', uint32: 'moduloUint' },
};

const floatOps: Record<BinaryOp, Primitive> = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'div',
  floorDiv: 'floorDivide',
  mod: 'modulo',
  pow: 'power',
  max: 'max',
  min: 'min',
};

/**
 * Scalar expressions as loop values. Floats are computed in float64 and rounded where they are stored, cast, compared
 * or turned into whole numbers: a value that is compared has the bits that another kernel would have stored. bools are
 * conditions.
 */
export class ExpressionValues {
  readonly #builder: LoopBuilder;
  readonly #indices: IndexValues;
  readonly #context: ExpressionContext;
  /** Expressions that are stored as they are: whoever else uses them sees the stored value. */
  readonly #stored = new Map<Expr, DType>();
  #values = new Map<Expr, Value>();

  constructor(builder: LoopBuilder, indices: IndexValues, context: ExpressionContext, stores: readonly Store[]) {
    this.#builder = builder;
    this.#indices = indices;
    this.#context = context;
    for (const { operand, value } of stores) this.#stored.set(value, context.operands[operand]?.dtype as DType);
  }

  /** Loops have been left or entered: values that were computed in them are out of reach. */
  forget(): void {
    this.#values = new Map();
  }

  value(expr: Expr): Value {
    const known = this.#values.get(expr);
    if (known) return known;
    let value = this.#lower(expr);
    const dtype = this.#stored.get(expr);
    if (dtype !== undefined) value = this.rounded(value, dtype);
    this.#values.set(expr, value);
    return value;
  }

  /** Evaluates the stores' values and indices; writes nothing before the returned function is called. */
  prepareStore({ operand, index, value }: Store): () => void {
    const builder = this.#builder;
    const dtype = (this.#context.operands[operand] as Operand).dtype;
    const position = this.#indices.value(index);
    const stored = this.value(value);
    const number = dtype === 'bool' ? builder.call('asNumber', stored) : this.rounded(stored, dtype);
    return () => builder.write({ kind: 'operand', number: operand }, position, number);
  }

  /** A float as `dtype` holds it; other values as they are. */
  rounded(value: Value, dtype: DType): Value {
    if (!isFloat(dtype) || value.precision <= precisionOf[dtype]) return value;
    if (dtype === 'float64') return value;
    return this.#builder.call(dtype === 'float32' ? 'toSingle' : 'toHalf', value);
  }

  /** A number for arithmetic and arrays: conditions become 1 and 0. */
  asNumber(value: Value, dtype: DType): Value {
    return dtype === 'bool' ? this.#builder.call('asNumber', value) : value;
  }

  /** The other way round. */
  fromNumber(value: Value, dtype: DType): Value {
    return dtype === 'bool' ? this.#builder.call('notEqual', value, this.#builder.number(0)) : value;
  }

  #lower(expr: Expr): Value {
    const builder = this.#builder;
    switch (expr.kind) {
      case 'literal':
        return builder.number(literalOf(expr.dtype, expr.value));
      case 'argument': {
        const given = builder.read({ kind: 'given' }, builder.number(expr.argument));
        return this.#convert(given, 'float64', expr.dtype);
      }
      case 'index':
        return this.#indices.value(expr.index);
      case 'load': {
        const guard = this.#indices.condition(expr.guards);
        const index = this.#indices.value(expr.index);
        const dtype = (this.#context.operands[expr.operand] as Operand).dtype;
        const options = { guard, precision: precisionOf[dtype] };
        return this.fromNumber(builder.read({ kind: 'operand', number: expr.operand }, index, options), dtype);
      }
      case 'unary':
        return this.#unary(expr.op, this.value(expr.operand), expr.dtype);
      case 'binary':
        return this.#binary(expr.op, this.value(expr.left), this.value(expr.right), expr.dtype);
      case 'random': {
        const [key0, key1, element, stream] = [...expr.key, expr.element, expr.stream].map((word) =>
          this.value(word),
        ) as [Value, Value, Value, Value];
        return threefry(builder, { key: [key0, key1], element, stream });
      }
      case 'compare':
        return this.#compare(expr.op, expr.left, expr.right);
      case 'where':
        return builder.call('select', this.value(expr.condition), this.value(expr.then), this.value(expr.otherwise));
      case 'guard': {
        const condition = this.#indices.condition(expr.guards);
        if (!condition) return this.value(expr.then);
        return builder.call('select', condition, this.value(expr.then), this.value(expr.otherwise));
      }
      case 'cast':
        return this.#convert(this.value(expr.operand), expr.operand.dtype, expr.dtype);
      case 'stage':
        return this.#context.stage?.(expr.stage) ?? missing('stage');
      case 'accumulator':
        return this.#context.accumulator?.() ?? missing('accumulator');
    }
  }

  #unary(op: UnaryOp, operand: Value, dtype: DType): Value {
    const builder = this.#builder;
    if (dtype === 'int32' && (op === 'neg' || op === 'abs')) return builder.call('asInt', builder.call(op, operand));
    if (dtype === 'uint32' && op === 'neg') return builder.call('asUint', builder.call('neg', operand));
    if (op === 'floor' || op === 'ceil' || op === 'round') return builder.call(op, this.rounded(operand, dtype));
    if (op === 'exp') return dtype === 'float64' ? builder.call('exp', operand) : singleExp(builder, operand);
    if (op === 'sigmoid') {
      const one = builder.number(1);
      return builder.call(
        'div',
        one,
        builder.call('add', one, this.#unary('exp', builder.call('neg', operand), dtype)),
      );
    }
    return builder.call(op, operand);
  }

  #binary(op: BinaryOp, left: Value, right: Value, dtype: DType): Value {
    const builder = this.#builder;
    if (dtype === 'bool') return builder.call(op === 'max' ? 'or' : 'and', left, right);
    const integer = integerOps[op];
    if (integer && (dtype === 'int32' || dtype === 'uint32')) return builder.call(integer[dtype], left, right);
    if (op === 'floorDiv' || op === 'mod') {
      return builder.call(floatOps[op], this.rounded(left, dtype), this.rounded(right, dtype));
    }
    if (op === 'pow' && right.form.kind === 'number') return this.#power(left, right.form.value);
    return builder.call(floatOps[op], left, right);
  }

  #power(base: Value, exponent: number): Value {
    const builder = this.#builder;
    if (exponent === 0) return builder.number(1);
    if (exponent < 0 && exponent >= -4) return builder.call('div', builder.number(1), this.#power(base, -exponent));
    if (Number.isInteger(exponent) && exponent <= 4 && exponent > 0) {
      let power = base;
      for (let i = 1; i < exponent; i++) power = builder.call('mul', power, base);
      return power;
    }
    return builder.call('power', base, builder.number(exponent));
  }

  #compare(op: CompareOp, left: Expr, right: Expr): Value {
    const [a, b] = [left, right].map((side) => {
      return this.rounded(this.asNumber(this.value(side), side.dtype), side.dtype);
    }) as [Value, Value];
    return this.#builder.call(op, a, b);
  }

  #convert(value: Value, from: DType, to: DType): Value {
    const builder = this.#builder;
    if (to === 'bool') return from === 'bool' ? value : this.fromNumber(this.rounded(value, from), 'bool');
    const number = this.rounded(this.asNumber(value, from), from);
    if (isFloat(to)) return from === 'bool' ? number : this.rounded(number, to);
    if (isFloat(from)) return builder.call(to === 'int32' ? 'toInt32' : 'toUint32', number);
    return from === to || from === 'bool' ? number : builder.call(to === 'int32' ? 'asInt' : 'asUint', number);
  }
}

function literalOf(dtype: DType, value: number): number {
  switch (dtype) {
    case 'float32':
      return Math.fround(value);
    case 'int32':
      return value | 0;
    case 'uint32':
      return value >>> 0;
    case 'bool':
      return value === 0 ? 0 : 1;
    default:
      return value;
  }
}

function missing(what: string): never {
  throw new Error(`js backend: a kernel refers to its ${what}, which it does not have`);
}
