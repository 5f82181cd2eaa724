import type { DType } from '@evenkeel/tensor';
import type { ReduceOp } from '@evenkeel/tensor/kernel';
import type { Value } from './code.ts';
import type { Computed, Program } from './program.ts';
import { isWhole, Whole } from './whole-numbers.ts';

/** What a reduction of nothing is. */
function identityOf(op: ReduceOp, dtype: DType): number {
  if (op === 'sum' || op === 'prod') return op === 'sum' ? 0 : 1;
  const isMax = op === 'max';
  if (dtype === 'bool') return isMax ? 0 : 1;
  if (dtype === 'int32') return isMax ? -(2 ** 31) : 2 ** 31 - 1;
  if (dtype === 'uint32') return isMax ? 0 : 2 ** 32 - 1;
  return isMax ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** Variables that values are added to, or multiplied into, or compared with. Bools count as 0 and 1. */
export class Total {
  readonly #program: Program;
  readonly #op: ReduceOp;
  readonly #dtype: DType;
  /** Of whole numbers two: the high part and the low one. */
  readonly #names: readonly string[];

  /** Starts at `initial`, or at what a reduction of nothing is. */
  constructor(program: Program, op: ReduceOp, dtype: DType, initial?: Computed) {
    this.#program = program;
    this.#op = op;
    this.#dtype = dtype;
    const { code } = program;
    const start = initial ?? this.#identity();
    const parts = start instanceof Whole ? [start.high, start.low] : [program.numeric(start)];
    this.#names = parts.map(({ text }) => {
      const name = code.name('total');
      code.line(`let ${name} = ${text};`);
      return name;
    });
  }

  add(value: Computed): void {
    const { code } = this.#program;
    const before = this.#current();
    const after = this.#combined(before, value instanceof Whole ? value : this.#program.numeric(value));
    const parts = after instanceof Whole ? [after.high, after.low] : [after];
    parts.forEach(({ text }, i) => {
      code.line(`${this.#names[i]} = ${text};`);
    });
  }

  /** What there is by now. */
  now(): Computed {
    const value = this.#current();
    if (value instanceof Whole) return value;
    const { code } = this.#program;
    if (this.#dtype === 'bool') return code.define(`${value.text} > 0.5`, 'bool', [value]);
    return this.#dtype === 'float16' ? this.#program.call('roundToHalf', value) : value;
  }

  #current(): Value | Whole {
    const parts = this.#names.map((name) => this.#program.code.now(name, 'float')) as [Value, Value];
    return isWhole(this.#dtype) ? this.#program.wholes.joined(this.#dtype, ...parts) : parts[0];
  }

  #identity(): Computed {
    const value = identityOf(this.#op, this.#dtype);
    return isWhole(this.#dtype) ? this.#program.wholes.literal(this.#dtype, value) : this.#program.number(value);
  }

  #combined(total: Value | Whole, value: Value | Whole): Value | Whole {
    const op = this.#op;
    if (total instanceof Whole) {
      const { wholes } = this.#program;
      const other = value as Whole;
      if (op === 'sum') return wholes.add(total, other);
      if (op === 'prod') return wholes.multiply(total, other);
      return op === 'max' ? wholes.max(total, other) : wholes.min(total, other);
    }
    const other = value as Value;
    if (op === 'max' || op === 'min') return this.#program.call(op === 'max' ? 'maximum' : 'minimum', total, other);
    const text = `${total.text} ${op === 'sum' ? '+' : '*'} ${other.text}`;
    return this.#program.code.define(text, 'float', [total, other]);
  }
}
