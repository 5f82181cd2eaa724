import type { Kernel, Operand } from '@evenkeel/tensor/kernel';
import { Code, type Value } from './code.ts';
import { type FunctionName, helperFunction } from './functions.ts';
import type { ArrayName, HelperFunction, Launch, Scalar } from './launch.ts';
import { Refusal } from './refusal.ts';

type Printable = Exclude<Kernel, { kind: 'host' }>;

/** Whole numbers are exact in floats up to here. */
export const EXACT = 2 ** 24;

/** One gpu.js kernel in the making. */
export class Program {
  readonly code = new Code();
  readonly operands: readonly Operand[];
  /** Number of this thread, which is the element that it makes. */
  readonly thread: Value;
  readonly #kernel: Printable;
  readonly #arrays: ArrayName[] = [];
  readonly #scalars: Scalar[] = [];
  readonly #functions = new Map<string, HelperFunction>();

  constructor(kernel: Printable) {
    this.#kernel = kernel;
    this.operands = kernel.operands;
    this.thread = this.code.define('this.thread.x', 'float', []);
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

  argument(number: number): Value {
    const dtype = this.#kernel.arguments[number];
    if (dtype !== 'float32' && dtype !== 'bool') throw new Refusal(`gpu.js has no ${dtype} arguments`);
    const value = this.#scalar({ kind: 'argument', number });
    return dtype === 'bool' ? this.code.define(`!(${value.text} == 0 || ${value.text} == 0)`, 'bool', [value]) : value;
  }

  /** An element of an array, as the float that is stored. */
  element(array: ArrayName, index: Value): Value {
    return this.code.define(`${this.#array(array)}[${index.text}]`, 'float', [index]);
  }

  finish(result: ArrayName, length: number, value: Value): Launch {
    if (length > EXACT) throw new Refusal(`a result of ${length} elements is above gpu.js's limit of 2^24`);
    // A ternary of two whole literals would be an integer.
    const stored = value.type === 'bool' ? this.code.now(`${value.text} ? 1 : 0`, 'float') : value;
    const parameters = [...this.#arrays.map((_, i) => `a${i}`), ...this.#scalars.map((_, i) => `x${i}`)];
    const body = `${this.code.finish()}\n  return ${stored.text};`;
    return {
      source: `function kernel(${parameters.join(', ')}) {\n${body}\n}`,
      functions: [...this.#functions.values()],
      arrays: this.#arrays,
      scalars: this.#scalars,
      result,
      length,
    };
  }

  #array({ kind, number }: ArrayName): string {
    let place = this.#arrays.findIndex((array) => array.kind === kind && array.number === number);
    if (place < 0) place = this.#arrays.push({ kind, number }) - 1;
    return `a${place}`;
  }

  #scalar(scalar: Scalar): Value {
    const same = (other: Scalar): boolean => {
      if (other.kind === 'argument') return scalar.kind === 'argument' && other.number === scalar.number;
      return scalar.kind === 'constant' && Object.is(other.value, scalar.value);
    };
    let place = this.#scalars.findIndex(same);
    if (place < 0) place = this.#scalars.push(scalar) - 1;
    return this.code.given(`x${place}`);
  }
}
