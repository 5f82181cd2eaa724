import type { DType } from '@evenkeel/tensor';
import type { Expr } from '@evenkeel/tensor/kernel';
import type { Value } from './code.ts';
import type { FunctionName } from './functions.ts';
import type { Indices } from './indices.ts';
import type { Computed, Program } from './program.ts';
import { Refusal } from './refusal.ts';
import { isWhole, Whole } from './whole-numbers.ts';

type UnaryOp = Extract<Expr, { kind: 'unary' }>['op'];
type CompareOp = Extract<Expr, { kind: 'compare' }>['op'];

/** What an expression may refer to in the kernel that holds it. */
export interface ExpressionContext {
  stage?(stage: number): Computed;
  accumulator?(): Computed;
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

/** Scalar expressions as JavaScript. float16 is computed in float32 and rounded after each operation. */
export class Expressions {
  readonly #program: Program;
  readonly #indices: Indices;
  readonly #context: ExpressionContext;
  readonly #values = new Map<Expr, Computed>();

  constructor(program: Program, indices: Indices, context: ExpressionContext = {}) {
    this.#program = program;
    this.#indices = indices;
    this.#context = context;
  }

  /** Axes mean something else from now on. */
  forget(): void {
    this.#values.clear();
  }

  value(expr: Expr): Computed {
    const known = this.#values.get(expr);
    if (known?.scope.isOpen) return known;
    const value = this.#print(expr);
    this.#values.set(expr, value);
    return value;
  }

  /** The value of what is no whole number. */
  scalar(expr: Expr): Value {
    return this.value(expr) as Value;
  }

  #print(expr: Expr): Computed {
    const { code, wholes } = this.#program;
    const { dtype } = expr;
    if (dtype === 'float64') throw new Refusal('gpu.js has no float64');
    switch (expr.kind) {
      case 'literal':
        if (isWhole(dtype)) return wholes.literal(dtype, expr.value);
        if (dtype === 'bool') return code.define(expr.value === 0 ? '0 > 1' : '1 > 0', 'bool', []);
        return this.#rounded(this.#program.literal(expr.value), dtype);
      case 'argument':
        return this.#program.argument(expr.argument);
      case 'index':
        return wholes.exact('int32', this.#indices.value(expr.index));
      case 'load': {
        const array = { kind: 'operand', number: expr.operand } as const;
        const condition = this.#indices.condition(expr.guards);
        return this.#program.load(array, dtype, this.#indices.value(expr.index), condition);
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
        return this.#select(this.scalar(expr.condition), expr.then, expr.otherwise);
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

  #select(condition: Value, then: Expr, otherwise: Expr): Computed {
    const { code, wholes } = this.#program;
    const [a, b] = [this.value(then), this.value(otherwise)];
    if (a instanceof Whole) return wholes.select(condition, a, b as Whole);
    const other = b as Value;
    const all = [condition, a, other];
    if (a.type === 'bool') {
      const text = `(${condition.text} && ${a.text}) || (!${condition.text} && ${other.text})`;
      return code.define(text, 'bool', all);
    }
    return code.define(`${condition.text} ? ${a.text} : ${other.text}`, 'float', all);
  }

  #unary({ op, operand, dtype }: Extract<Expr, { kind: 'unary' }>): Computed {
    const { code, wholes } = this.#program;
    const value = this.value(operand);
    if (value instanceof Whole) {
      if (op === 'neg') return wholes.negative(value);
      if (op === 'abs') return wholes.absolute(value);
      if (op === 'sign') return wholes.sign(value);
      if (op === 'floor' || op === 'ceil' || op === 'round') return value;
      throw new Refusal(`gpu.js has no ${op} of ${dtype}`);
    }
    if (op === 'not') return code.define(`!${value.text}`, 'bool', [value]);
    if (op === 'neg') return code.define(`-${value.text}`, 'float', [value]);
    const name = functionOf[op];
    const text = `Math.${op}(${value.text})`;
    return this.#rounded(name ? this.#program.call(name, value) : code.define(text, 'float', [value]), dtype);
  }

  #binary(expr: Extract<Expr, { kind: 'binary' }>): Computed {
    const { op, left, right, dtype } = expr;
    const a = this.value(left);
    if (a instanceof Whole) return this.#whole(expr, a);
    if (op === 'pow' && right.kind === 'literal' && Number.isInteger(right.value) && Math.abs(right.value) <= 4) {
      return this.#rounded(this.#power(a, right.value), dtype);
    }
    if (op === 'pow' || op === 'mod' || op === 'floorDiv') {
      throw new Refusal(`${op} in ${dtype} is not exact enough without bit operations`);
    }
    return this.#rounded(this.#combined(op, a, this.scalar(right), dtype), dtype);
  }

  #combined(op: 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min', a: Value, b: Value, dtype: DType): Value {
    const { code } = this.#program;
    if (dtype === 'bool') return code.define(`${a.text} ${op === 'max' ? '||' : '&&'} ${b.text}`, 'bool', [a, b]);
    if (op === 'max' || op === 'min') return this.#program.call(op === 'max' ? 'maximum' : 'minimum', a, b);
    if (op === 'div') return this.#program.call('quotient', a, b);
    const symbol = { add: '+', sub: '-', mul: '*' }[op];
    return code.define(`${a.text} ${symbol} ${b.text}`, 'float', [a, b]);
  }

  #whole({ op, right, dtype }: Extract<Expr, { kind: 'binary' }>, a: Whole): Whole {
    const { wholes } = this.#program;
    const b = this.value(right) as Whole;
    switch (op) {
      case 'add':
        return wholes.add(a, b);
      case 'sub':
        return wholes.subtract(a, b);
      case 'mul':
        return wholes.multiply(a, b);
      case 'floorDiv':
        return wholes.quotient(a, b);
      case 'mod':
        return wholes.remainder(a, b);
      case 'max':
        return wholes.max(a, b);
      case 'min':
        return wholes.min(a, b);
      default:
        throw new Refusal(`gpu.js has no ${op} of ${dtype}`);
    }
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
    const { code, wholes } = this.#program;
    const [a, b] = [this.value(left), this.value(right)];
    if (a instanceof Whole && b instanceof Whole) {
      if (op === 'less') return wholes.isLess(a, b);
      const opposite = op === 'equal' || op === 'notEqual' ? wholes.isEqual(a, b) : wholes.isLess(b, a);
      return op === 'equal' ? opposite : code.define(`!${opposite.text}`, 'bool', [opposite]);
    }
    const [x, y] = [this.#program.numeric(a), this.#program.numeric(b)];
    return code.define(comparisons[op](x.text, y.text), 'bool', [x, y]);
  }

  #cast(value: Computed, from: DType, to: DType): Computed {
    const { code, wholes } = this.#program;
    if (from === to) return value;
    if (value instanceof Whole) {
      if (isWhole(to)) return wholes.cast(value, to);
      return to === 'bool' ? wholes.truth(value) : this.#rounded(wholes.float(value), to);
    }
    if (isWhole(to)) {
      return from === 'bool' ? wholes.exact(to, this.#program.numeric(value)) : wholes.fromFloat(to, value);
    }
    if (to === 'bool') return code.define(comparisons.notEqual(value.text, '0'), 'bool', [value]);
    return this.#rounded(this.#program.numeric(value), to);
  }

  #rounded(value: Value, dtype: DType): Value {
    return dtype === 'float16' ? this.#program.call('roundToHalf', value) : value;
  }
}

function missing(what: string): never {
  throw new Error(`gpujs backend: a kernel refers to its ${what}, which it does not have`);
}
