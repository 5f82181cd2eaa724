import type { DType } from '@evenkeel/tensor';
import { isFloat } from '@evenkeel/tensor';
import type { Expr, Index, ReduceOp, Store } from '@evenkeel/tensor/kernel';
import type { Value } from './code.ts';
import type { FunctionName } from './functions.ts';
import type { Indices } from './indices.ts';
import { i32 } from './indices.ts';
import { type Program, wgslTypes } from './program.ts';

type UnaryOp = Extract<Expr, { kind: 'unary' }>['op'];
type BinaryOp = Extract<Expr, { kind: 'binary' }>['op'];
type CompareOp = Extract<Expr, { kind: 'compare' }>['op'];

/** What an expression may refer to in the kernel that holds it. */
export interface ExpressionContext {
  stage?(stage: number): Value;
  accumulator?(): Value;
}

const floatUnary: Record<Exclude<UnaryOp, 'not' | 'floor' | 'ceil' | 'round'>, FunctionName> = {
  neg: 'negative',
  abs: 'absolute',
  sign: 'signOf',
  exp: 'exponential',
  log: 'logarithm',
  sqrt: 'squareRoot',
  sin: 'sineOf',
  cos: 'cosineOf',
  tanh: 'hyperbolicTangent',
  erf: 'errorFunction',
  sigmoid: 'sigmoid',
};

const floatBinary: Partial<Record<BinaryOp, FunctionName>> = {
  div: 'quotient',
  floorDiv: 'floorDivide',
  mod: 'modulo',
  pow: 'powerOf',
  max: 'maximum',
  min: 'minimum',
};

const integerBinary = {
  int32: { floorDiv: 'floorDivideInt', mod: 'moduloInt' },
  uint32: { floorDiv: 'floorDivideUint', mod: 'moduloUint' },
} as const;

const symbols: Partial<Record<BinaryOp, string>> = { add: '+', sub: '-', mul: '*' };
const comparisons: Record<CompareOp, { symbol: string; float: FunctionName }> = {
  equal: { symbol: '==', float: 'isEqual' },
  notEqual: { symbol: '!=', float: 'isEqual' },
  less: { symbol: '<', float: 'isLess' },
  lessEqual: { symbol: '<=', float: 'isLessOrEqual' },
};

/** Scalar expressions as WGSL. float16 is computed in f32 and rounded after each operation. */
export class Expressions {
  readonly #program: Program;
  readonly #indices: Indices;
  readonly #context: ExpressionContext;
  readonly #values = new Map<Expr, Value>();

  constructor(program: Program, indices: Indices, context: ExpressionContext = {}) {
    this.#program = program;
    this.#indices = indices;
    this.#context = context;
  }

  /** Axes or stages mean something else from now on. */
  forget(): void {
    this.#values.clear();
  }

  value(expr: Expr): Value {
    const known = this.#values.get(expr);
    if (known?.scope.isOpen) return known;
    const value = this.#print(expr);
    this.#values.set(expr, value);
    return value;
  }

  /** An element; any element where the condition fails. */
  #load(operand: number, index: Index, condition: Value | undefined): Value {
    if (!this.#indices.areNeighbours(index)) {
      return this.#program.load(operand, this.#program.inside(this.#indices.value(index), condition));
    }
    const { at, element } = this.#indices.fourOf(index);
    return this.#program.loadOfFour(operand, { at: this.#program.inside(at, condition), element });
  }

  /** Computes the stores' values and indices; writes nothing before the returned function is called. */
  prepareStore({ operand, index, value }: Store): () => void {
    const position = this.#indices.value(index);
    const stored = this.value(value);
    return () => this.#program.store(operand, position, stored);
  }

  #print(expr: Expr): Value {
    const { code } = this.#program;
    switch (expr.kind) {
      case 'literal':
        return literal(this.#program, expr.dtype, expr.value);
      case 'argument':
        return this.#program.argument(expr.argument);
      case 'index':
        return this.#indices.value(expr.index);
      case 'load': {
        const condition = this.#indices.condition(expr.guards);
        const value = this.#load(expr.operand, expr.index, condition);
        if (!condition) return value;
        const none = value.type === 'bool' ? 'false' : `${value.type}(0)`;
        return code.define(`select(${none}, ${value.text}, ${condition.text})`, value.type, [value, condition]);
      }
      case 'unary':
        return this.#rounded(this.#unary(expr.op, this.value(expr.operand), expr.dtype), expr.dtype);
      case 'binary': {
        const value = this.#rounded(this.#binary(expr), expr.dtype);
        const isConstant = this.value(expr.left).isConstant && this.value(expr.right).isConstant;
        // It may be 0 or not finite, see `literal`.
        return isConstant && isFloat(expr.dtype) ? hidden(this.#program, value) : value;
      }
      case 'random':
        return this.#program.call(
          'threefry',
          'u32',
          ...[...expr.key, expr.element, expr.stream].map((word) => this.value(word)),
        );
      case 'compare':
        return this.#compare(expr.op, this.value(expr.left), this.value(expr.right));
      case 'where':
        return this.#select(this.value(expr.condition), this.value(expr.then), this.value(expr.otherwise));
      case 'guard': {
        const condition = this.#indices.condition(expr.guards);
        if (!condition) return this.value(expr.then);
        return this.#select(condition, this.value(expr.then), this.value(expr.otherwise));
      }
      case 'cast':
        return this.#cast(this.value(expr.operand), expr.operand.dtype, expr.dtype);
      case 'stage':
        return this.#context.stage?.(expr.stage) ?? missing('stage');
      case 'accumulator':
        return this.#context.accumulator?.() ?? missing('accumulator');
    }
  }

  #select(condition: Value, then: Value, otherwise: Value): Value {
    const text = `select(${otherwise.text}, ${then.text}, ${condition.text})`;
    return this.#program.code.define(text, then.type, [condition, then, otherwise]);
  }

  #rounded(value: Value, dtype: DType): Value {
    return dtype === 'float16' ? this.#program.roundToHalf(value) : value;
  }

  #unary(op: UnaryOp, operand: Value, dtype: DType): Value {
    const { code } = this.#program;
    const { text, type } = operand;
    if (op === 'not') return code.define(`!${text}`, 'bool', [operand]);
    if (op === 'floor' || op === 'ceil' || op === 'round') {
      return isFloat(dtype) ? code.define(`${op}(${text})`, 'f32', [operand]) : operand;
    }
    if (isFloat(dtype)) return this.#program.call(floatUnary[op], 'f32', operand);
    if (op === 'neg') return code.define(type === 'u32' ? `0u - ${text}` : `-${text}`, type, [operand]);
    if (op === 'abs' || op === 'sign') {
      if (type === 'u32') return op === 'abs' ? operand : code.define(`min(${text}, 1u)`, type, [operand]);
      return code.define(`${op}(${text})`, type, [operand]);
    }
    throw new Error(`webgpu backend: ${op} of ${dtype}`);
  }

  #binary({ op, left: a, right: b, dtype }: Extract<Expr, { kind: 'binary' }>): Value {
    const { code } = this.#program;
    const left = this.value(a);
    if (op === 'pow' && isFloat(dtype) && b.kind === 'literal' && isSmallWhole(b.value)) {
      return this.#power(left, b.value);
    }
    const right = this.value(b);
    const both = [left, right];
    if (dtype === 'bool') return code.define(`${left.text} ${op === 'max' ? '||' : '&&'} ${right.text}`, 'bool', both);
    const symbol = symbols[op];
    if (symbol) return code.define(`${left.text} ${symbol} ${right.text}`, left.type, both);
    if (isFloat(dtype)) return this.#program.call(floatBinary[op] as FunctionName, 'f32', left, right);
    if (op === 'max' || op === 'min') return code.define(`${op}(${left.text}, ${right.text})`, left.type, both);
    if (op === 'floorDiv' || op === 'mod') {
      return this.#program.call(integerBinary[dtype as 'int32'][op], left.type, left, right);
    }
    throw new Error(`webgpu backend: ${op} of ${dtype}`);
  }

  #power(base: Value, exponent: number): Value {
    const { code } = this.#program;
    const one = literal(this.#program, 'float32', 1);
    if (exponent === 0) return one;
    if (exponent < 0) return this.#program.call('quotient', 'f32', one, this.#power(base, -exponent));
    let power = base;
    for (let i = 1; i < exponent; i++) power = code.define(`${power.text} * ${base.text}`, 'f32', [power, base]);
    return power;
  }

  #compare(op: CompareOp, left: Value, right: Value): Value {
    const { code } = this.#program;
    const { symbol, float } = comparisons[op];
    if (left.type === 'f32') {
      const holds = this.#program.call(float, 'bool', left, right);
      return op === 'notEqual' ? code.define(`!${holds.text}`, 'bool', [holds]) : holds;
    }
    const [a, b] = [left, right].map((side) =>
      side.type === 'bool' ? code.define(`u32(${side.text})`, 'u32', [side]) : side,
    ) as [Value, Value];
    return code.define(`${a.text} ${symbol} ${b.text}`, 'bool', [a, b]);
  }

  #cast(value: Value, from: DType, to: DType): Value {
    const { code } = this.#program;
    const type = wgslTypes[to];
    if (to === 'bool') {
      if (from === 'bool') return value;
      if (isFloat(from)) return this.#program.call('isTrue', 'bool', value);
      return code.define(`${value.text} != 0`, 'bool', [value]);
    }
    if (isFloat(to)) {
      const float = isFloat(from) ? value : code.define(`f32(${value.text})`, 'f32', [value]);
      return from === to || from === 'bool' ? float : this.#rounded(float, to);
    }
    if (isFloat(from)) return this.#program.call(to === 'int32' ? 'toInt32' : 'toUint32', type, value);
    return value.type === type ? value : code.define(`${type}(${value.text})`, type, [value]);
  }
}

function isSmallWhole(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) <= 4;
}

/** A value that compilers do not know. */
function hidden({ code }: Program, value: Value): Value {
  return code.define(`bitcast<f32>(bitcast<u32>(${value.text}) | none)`, 'f32', [value]);
}

/** A number as a value of `dtype`. */
export function literal(program: Program, dtype: DType, value: number): Value {
  const { code } = program;
  switch (dtype) {
    case 'bool':
      return code.given(value === 0 ? 'false' : 'true', 'bool');
    case 'int32':
      return code.literal(`i32(${i32(value | 0)})`, 'i32');
    case 'uint32':
      return code.literal(`${value >>> 0}u`, 'u32');
    default: {
      const float = dtype === 'float16' ? value : Math.fround(value);
      // Numbers that are not finite must not be written, and of what they know to be 0 compilers make what they like:
      // x * 0 becomes 0, and -0 becomes 0. `none` is 0, and they cannot know it.
      if (float === 0 || !Number.isFinite(float) || isSubnormal(float)) {
        return code.define(`bitcast<f32>(${bitsOfFloat(float)}u | none)`, 'f32', []);
      }
      const text = String(float);
      return code.literal(`${/[.e]/.test(text) ? text : `${text}.0`}f`, 'f32');
    }
  }
}

function isSubnormal(value: number): boolean {
  return value !== 0 && Math.abs(value) < 2 ** -126;
}

/** The bits of a float32. */
export function bitsOfFloat(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0] as number;
}

/** `total op value` of a reduction. */
export function combine(program: Program, op: ReduceOp, dtype: DType, total: string, value: string): string {
  if (dtype === 'bool') return `${total} ${op === 'max' ? '||' : '&&'} ${value}`;
  if (op === 'sum') return `${total} + ${value}`;
  if (op === 'prod') return `${total} * ${value}`;
  if (isFloat(dtype)) return `${program.use(op === 'max' ? 'maximum' : 'minimum')}(${total}, ${value})`;
  return `${op}(${total}, ${value})`;
}

/** What a reduction of nothing is. */
export function identityOf(program: Program, op: ReduceOp, dtype: DType): Value {
  if (op === 'sum' || op === 'prod') return literal(program, dtype, op === 'sum' ? 0 : 1);
  const isMax = op === 'max';
  const limits = { int32: [-(2 ** 31), 2 ** 31 - 1], uint32: [0, 2 ** 32 - 1], bool: [0, 1] } as const;
  const [low, high] = limits[dtype as 'int32'] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return literal(program, dtype, isMax ? low : high);
}

function missing(what: string): never {
  throw new Error(`webgpu backend: a kernel refers to its ${what}, which it does not have`);
}
