import type { DType } from '@evenkeel/tensor';
import type { Expr, ReduceOp } from '@evenkeel/tensor/kernel';
import type { Value } from './code.ts';
import type { FunctionName } from './functions.ts';
import type { Indices } from './indices.ts';
import { EXACT, type Program } from './program.ts';
import { Refusal } from './refusal.ts';

type UnaryOp = Extract<Expr, { kind: 'unary' }>['op'];
type CompareOp = Extract<Expr, { kind: 'compare' }>['op'];

/** What an expression may refer to in the kernel that holds it. */
export interface ExpressionContext {
  stage?(stage: number): Value;
  accumulator?(): Value;
}

const functionOf: Partial<Record<UnaryOp, FunctionName>> = {
  sign: 'signOf',
  exp: 'exponential',
  log: 'logarithm',
  sin: 'sineOf',
  cos: 'cosineOf',
  tanh: 'hyperbolicTangent',
  erf: 'errorFunction',
  sigmoid: 'sigmoid',
  round: 'roundToEven',
};

/** gpu.js declares what == and <= give as a number; what || gives is a truth value. */
const isEqual = (a: string, b: string): string => `${a} == ${b} || ${a} == ${b}`;

const comparisons: Record<CompareOp, (a: string, b: string) => string> = {
  equal: isEqual,
  notEqual: (a, b) => `!(${isEqual(a, b)})`,
  less: (a, b) => `${a} < ${b}`,
  lessEqual: (a, b) => `${a} < ${b} || ${a} == ${b}`,
};

const isWhole = (dtype: DType): boolean => dtype === 'int32' || dtype === 'uint32';

/**
 * Scalar expressions as JavaScript. Buffers of whole numbers are seen rounded to floats: enough to turn them into floats
 * and to compare them with numbers below 2^24, and all else is refused.
 */
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

  value(expr: Expr): Value {
    const known = this.#values.get(expr);
    if (known?.scope.isOpen) return known;
    const value = this.#print(expr);
    this.#values.set(expr, value);
    return value;
  }

  #print(expr: Expr): Value {
    const { code } = this.#program;
    const { dtype } = expr;
    if (dtype === 'float64' || dtype === 'float16') throw new Refusal(`gpu.js has no ${dtype}`);
    switch (expr.kind) {
      case 'literal':
        if (dtype === 'bool') return code.define(expr.value === 0 ? '0 > 1' : '1 > 0', 'bool', []);
        return this.#program.literal(expr.value);
      case 'argument':
        return this.#program.argument(expr.argument);
      case 'index':
        return this.#indices.value(expr.index);
      case 'load': {
        const stored = this.#program.operands[expr.operand]?.dtype;
        if (stored === 'float16' || stored === 'float64') throw new Refusal(`gpu.js has no ${stored}`);
        const condition = this.#indices.condition(expr.guards);
        const value = this.#indices.guarded(condition, expr.operand, this.#indices.value(expr.index));
        return dtype === 'bool' ? code.define(`${value.text} > 0.5`, 'bool', [value]) : value;
      }
      case 'unary':
        return this.#unary(expr);
      case 'binary':
        return this.#binary(expr);
      case 'random':
        throw new Refusal('random bits take 32-bit integers, gpu.js has floats');
      case 'compare':
        return this.#compare(expr);
      case 'where':
        return this.#select(this.value(expr.condition), expr.then, expr.otherwise);
      case 'guard': {
        const condition = this.#indices.condition(expr.guards);
        return condition ? this.#select(condition, expr.then, expr.otherwise) : this.value(expr.then);
      }
      case 'cast':
        return this.#cast(this.value(expr.operand), expr.operand.dtype, dtype);
      case 'stage':
        return this.#context.stage?.(expr.stage) ?? missing('stage');
      case 'accumulator':
        return this.#context.accumulator?.() ?? missing('accumulator');
    }
  }

  #select(condition: Value, then: Expr, otherwise: Expr): Value {
    const { code } = this.#program;
    const [a, b] = [this.value(then), this.value(otherwise)];
    const all = [condition, a, b];
    if (a.type === 'bool') {
      const text = `(${condition.text} && ${a.text}) || (!${condition.text} && ${b.text})`;
      return code.define(text, 'bool', all);
    }
    return code.define(`${condition.text} ? ${a.text} : ${b.text}`, 'float', all);
  }

  #unary({ op, operand, dtype }: Extract<Expr, { kind: 'unary' }>): Value {
    const { code } = this.#program;
    if (isWhole(dtype)) throw noIntegers(op, dtype);
    const value = this.value(operand);
    if (op === 'not') return code.define(`!${value.text}`, 'bool', [value]);
    if (op === 'neg') return code.define(`-${value.text}`, 'float', [value]);
    const name = functionOf[op];
    return name ? this.#program.call(name, value) : code.define(`Math.${op}(${value.text})`, 'float', [value]);
  }

  #binary({ op, left, right, dtype }: Extract<Expr, { kind: 'binary' }>): Value {
    const { code } = this.#program;
    if (isWhole(dtype)) throw noIntegers(op, dtype);
    const a = this.value(left);
    if (op === 'pow' && right.kind === 'literal' && Number.isInteger(right.value) && Math.abs(right.value) <= 4) {
      return this.#power(a, right.value);
    }
    if (op === 'pow' || op === 'mod' || op === 'floorDiv') {
      throw new Refusal(`${op} in float32 is not exact enough without bit operations`);
    }
    const b = this.value(right);
    if (dtype === 'bool') return code.define(`${a.text} ${op === 'max' ? '||' : '&&'} ${b.text}`, 'bool', [a, b]);
    if (op === 'max' || op === 'min') return this.#program.call(op === 'max' ? 'maximum' : 'minimum', a, b);
    if (op === 'div') return this.#program.call('quotient', a, b);
    const symbol = { add: '+', sub: '-', mul: '*' }[op as 'add'];
    return code.define(`${a.text} ${symbol} ${b.text}`, 'float', [a, b]);
  }

  #power(base: Value, exponent: number): Value {
    const { code } = this.#program;
    if (exponent === 0) return this.#program.number(1);
    if (exponent < 0) return this.#program.call('quotient', code.given('1'), this.#power(base, -exponent));
    let power = base;
    for (let i = 1; i < exponent; i++) power = code.define(`${power.text} * ${base.text}`, 'float', [power, base]);
    return power;
  }

  #compare({ op, left, right }: Extract<Expr, { kind: 'compare' }>): Value {
    const { code } = this.#program;
    if (isWhole(left.dtype) && !isSmall(left) && !isSmall(right)) throw noIntegers(op, left.dtype);
    const [a, b] = [left, right].map((side) => {
      const value = this.value(side);
      return value.type === 'bool' ? this.#number(value) : value;
    }) as [Value, Value];
    return code.define(comparisons[op](a.text, b.text), 'bool', [a, b]);
  }

  #number(value: Value): Value {
    return this.#program.code.define(`${value.text} ? 1 : 0`, 'float', [value]);
  }

  #cast(value: Value, from: DType, to: DType): Value {
    if (from === to) return value;
    if (isWhole(to)) throw noIntegers('cast', to);
    if (to === 'bool') return this.#program.code.define(comparisons.notEqual(value.text, '0'), 'bool', [value]);
    return from === 'bool' ? this.#number(value) : value;
  }
}

/** Whether floats hold every value of a whole expression. */
function isSmall(expr: Expr): boolean {
  if (expr.kind === 'index') return true;
  return expr.kind === 'literal' && Math.abs(expr.value) < EXACT;
}

function noIntegers(what: string, dtype: DType): Refusal {
  return new Refusal(`${what} of ${dtype} takes 32-bit integers, gpu.js has floats`);
}

/** `total op value` of a reduction. */
export function combine(program: Program, op: ReduceOp, total: Value, value: Value): Value {
  const both = [total, value];
  if (op === 'max' || op === 'min') return program.call(op === 'max' ? 'maximum' : 'minimum', total, value);
  return program.code.define(`${total.text} ${op === 'sum' ? '+' : '*'} ${value.text}`, 'float', both);
}

/** What a reduction of nothing is; bools are reduced as 0 and 1. */
export function identityOf(op: ReduceOp, dtype: DType): number {
  if (isWhole(dtype)) throw noIntegers(op, dtype);
  if (op === 'sum' || op === 'prod') return op === 'sum' ? 0 : 1;
  if (dtype === 'bool') return op === 'max' ? 0 : 1;
  return op === 'max' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function missing(what: string): never {
  throw new Error(`gpujs backend: a kernel refers to its ${what}, which it does not have`);
}
