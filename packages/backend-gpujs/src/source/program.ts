import type { DType } from '@evenkeel/tensor';
import type { Kernel, Operand } from '@evenkeel/tensor/kernel';
import { Code, type Value } from './code.ts';
import { type FunctionName, helperFunction } from './functions.ts';
import type { ArrayName, HelperFunction, Launch, Scalar } from './launch.ts';
import { Refusal } from './refusal.ts';
import { isWhole, Whole, WholeNumbers } from './whole-numbers.ts';

type Printable = Exclude<Kernel, { kind: 'host' }>;

/** Whole numbers are exact in floats up to here. */
export const EXACT = 2 ** 24;

/** What an expression is: a float or a truth value, or a whole number in two floats. */
export type Computed = Value | Whole;

/** One gpu.js kernel in the making. */
export class Program {
  readonly code = new Code();
  readonly wholes = new WholeNumbers(this);
  readonly operands: readonly Operand[];
  /** The element that this thread makes, or the first of four. */
  readonly thread: Value;
  readonly #kernel: Printable;
  readonly #arrays: ArrayName[] = [];
  readonly #scalars: Scalar[] = [];
  readonly #functions = new Map<string, HelperFunction>();

  /** Of whole numbers, a thread makes one of two parts: which one. */
  readonly #part: Value | undefined;

  readonly #isPacked: boolean;

  /** @param dtype of the result; `isPacked` where a thread makes four elements */
  constructor(kernel: Printable, dtype: DType, isPacked = false) {
    if (dtype === 'float64') throw new Refusal('gpu.js has no float64');
    this.#kernel = kernel;
    this.operands = kernel.operands;
    const number = this.code.define('this.thread.x', 'float', []);
    this.thread = isPacked ? this.code.define(`${number.text} * 4`, 'float', [number]) : number;
    this.#isPacked = isPacked;
    if (!isWhole(dtype)) return;
    this.thread = this.code.define(`Math.floor(${number.text} * 0.5)`, 'float', [number]);
    this.#part = this.code.define(`${number.text} - ${this.thread.text} * 2`, 'float', [number, this.thread]);
  }

  /** Calls a helper. */
  call(name: FunctionName, ...operands: readonly Value[]): Value {
    this.#functions.set(name, helperFunction(name));
    return this.code.define(`${name}(${operands.map(({ text }) => text).join(', ')})`, 'float', operands);
  }

  /** A number as text, or as an argument where text cannot say it. */
  number(value: number): Value {
    const float = Math.fround(value);
    const isPlain = Number.isFinite(float) && !Object.is(float, -0) && Math.abs(float) < EXACT;
    if (isPlain && (float === 0 || Math.abs(float) > 2 ** -100)) {
      return this.code.given(float < 0 ? `(${float})` : `${float}`);
    }
    return this.#scalar({ kind: 'constant', value: float });
  }

  /** A number of an expression: of a 0 that they see compilers make 0 * NaN = 0. */
  literal(value: number): Value {
    return value === 0 ? this.#scalar({ kind: 'constant', value }) : this.number(value);
  }

  argument(number: number): Computed {
    const dtype = this.#kernel.arguments[number];
    if (dtype === 'float64') throw new Refusal('gpu.js has no float64');
    if (dtype !== undefined && isWhole(dtype)) {
      const [high, low] = (['high', 'low'] as const).map((part) => this.#scalar({ kind: 'argument', number, part }));
      return this.wholes.joined(dtype, high as Value, low as Value);
    }
    const value = this.#scalar({ kind: 'argument', number });
    if (dtype === 'bool') return this.code.define(`!(${value.text} == 0 || ${value.text} == 0)`, 'bool', [value]);
    return dtype === 'float16' ? this.call('roundToHalf', value) : value;
  }

  /** An element of an array of `dtype`, 0 where `condition` does not hold; nothing outside of the array is read. */
  load(array: ArrayName, dtype: DType, index: Value, condition?: Value): Computed {
    const { code } = this;
    if (dtype === 'float64') throw new Refusal('gpu.js has no float64');
    const guarded = (value: Value): Value => {
      return condition ? code.define(`${condition.text} ? ${value.text} : 0`, 'float', [condition, value]) : value;
    };
    const place = guarded(index);
    const element = (at: Value): Value => {
      return guarded(code.define(`${this.#array(array)}[${at.text}]`, 'float', [at]));
    };
    if (isWhole(dtype)) {
      const at = code.define(`${place.text} * 2`, 'float', [place]);
      return this.wholes.joined(dtype, element(at), element(code.define(`${at.text} + 1`, 'float', [at])));
    }
    const value = element(place);
    return dtype === 'bool' ? code.define(`${value.text} > 0.5`, 'bool', [value]) : value;
  }

  /** A truth value as 0 or 1. */
  numeric(value: Computed): Value {
    if (value instanceof Whole) return this.wholes.float(value);
    return value.type === 'bool' ? this.code.define(`${value.text} ? 1 : 0`, 'float', [value]) : value;
  }

  /** @param values of this thread: one, or four */
  finish(result: ArrayName, elements: number, ...values: readonly Computed[]): Launch {
    const length = this.#part ? 2 * elements : elements;
    if (length > EXACT) throw new Refusal(`a result of ${length} numbers is above gpu.js's limit of 2^24`);
    const stored = values.map((value) => this.#stored(value).text);
    const parameters = [...this.#arrays.map((_, i) => `a${i}`), ...this.#scalars.map((_, i) => `x${i}`)];
    const body = `${this.code.finish()}\n  return ${this.#isPacked ? `[${stored.join(', ')}]` : stored[0]};`;
    return {
      source: `function kernel(${parameters.join(', ')}) {\n${body}\n}`,
      functions: [...this.#functions.values()],
      arrays: this.#arrays,
      scalars: this.#scalars,
      result,
      length,
      isPacked: this.#isPacked,
    };
  }

  #stored(value: Computed): Value {
    if (value instanceof Whole) {
      const part = this.#part as Value;
      return this.code.now(`${part.text} > 0.5 ? ${value.low.text} : ${value.high.text}`, 'float');
    }
    // A ternary of two whole literals would be an integer.
    return value.type === 'bool' ? this.code.now(`${value.text} ? 1 : 0`, 'float') : value;
  }

  #array({ kind, number }: ArrayName): string {
    let place = this.#arrays.findIndex((array) => array.kind === kind && array.number === number);
    if (place < 0) place = this.#arrays.push({ kind, number }) - 1;
    return `a${place}`;
  }

  #scalar(scalar: Scalar): Value {
    const same = (other: Scalar): boolean => {
      if (other.kind === 'argument') {
        return scalar.kind === 'argument' && other.number === scalar.number && other.part === scalar.part;
      }
      return scalar.kind === 'constant' && Object.is(other.value, scalar.value);
    };
    let place = this.#scalars.findIndex(same);
    if (place < 0) place = this.#scalars.push(scalar) - 1;
    return this.code.given(`x${place}`);
  }
}
