import type { DType } from '@evenkeel/tensor';
import { type Expr, type RowKernel, type Stage, type Store, visitExprs } from '@evenkeel/tensor/kernel';
import type { Value } from './code.ts';
import { Expressions } from './expressions.ts';
import { Indices } from './indices.ts';
import { type Computed, Program } from './program.ts';
import type { Cut } from './row-cuts.ts';
import { Total } from './total.ts';

export const count = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** A stage that takes a row's elements in their order. */
export type OrderedStage = Extract<Stage, { kind: 'reduce' | 'scan' }>;

const exprOf = (stage: Stage): Expr => (stage.kind === 'store' ? stage.store.value : stage.value);

/** Prints one launch of a row kernel. */
export class RowPrinter {
  readonly program: Program;
  readonly #kernel: RowKernel;
  readonly #indices: Indices;
  readonly #expressions: Expressions;
  /** Whether reductions are made here rather than read. */
  readonly #reducesHere: boolean;
  readonly #cuts: ReadonlyMap<number, Cut>;
  /** Whether what is printed is within a reduction or scan. */
  #isInRow = false;

  constructor(kernel: RowKernel, cuts: ReadonlyMap<number, Cut>, result: DType, reducesHere: boolean) {
    this.#kernel = kernel;
    this.#cuts = cuts;
    this.#reducesHere = reducesHere;
    this.program = new Program(kernel, result);
    this.#indices = new Indices([...kernel.outer, ...kernel.inner], this.program);
    this.#expressions = new Expressions(this.program, this.#indices, { stage: (stage) => this.#stage(stage) });
  }

  store({ index, value }: Store): Computed {
    this.#indices.bindStore(index);
    // A reduction is made before what uses it, whatever block that is in.
    if (this.#reducesHere) visitExprs([value], (expr) => void (expr.kind === 'stage' && this.#expressions.value(expr)));
    return this.#expressions.value(value);
  }

  /** This thread's row reduced. */
  reduceOfThread(number: number): Computed {
    this.#indices.bindDigits(0, this.#kernel.outer, this.program.thread);
    return this.#reduce(number);
  }

  /**
   * This thread's part of a row reduced. The parts of a reduction take turns at the elements, so that neighbours read side by
   * side; those of a scan have to lie one after the other.
   */
  totalOfPart(number: number, { parts, size, dtype }: Cut): Computed {
    const { code } = this.program;
    const stage = this.#stageOf(number);
    const [row, part] = this.#divide(this.program.thread, parts);
    this.#indices.bindDigits(0, this.#kernel.outer, row);
    const total = new Total(this.program, stage.op, dtype);
    code.loop(size, (turn) => {
      const text =
        stage.kind === 'scan' ? `${part.text} * ${size} + ${turn.text}` : `${turn.text} * ${parts} + ${part.text}`;
      const element = code.define(text, 'float', [part, turn]);
      this.#within(size * parts, element, () => this.#addElement(element, stage, total));
    });
    return total.now();
  }

  /** What all parts of a scan come to that are before this thread's. */
  totalBefore(number: number, { parts, dtype, totals }: Cut): Computed {
    const { code } = this.program;
    const { op, reverse } = this.#stageOf(number) as Extract<Stage, { kind: 'scan' }>;
    const [row, part] = this.#divide(this.program.thread, parts);
    const total = new Total(this.program, op, dtype);
    code.loop(parts, (turn) => {
      const other = reverse ? code.define(`${parts - 1} - ${turn.text}`, 'float', [turn]) : turn;
      code.block(`if (${other.text} ${reverse ? '>' : '<'} ${part.text})`, () => {
        total.add(this.#partial(totals, dtype, row, parts, other));
      });
    });
    return total.now();
  }

  /** This thread's element of a scan: all elements up to it, of its part, and what came before the part. */
  scanOfThread(number: number): Computed {
    const { code } = this.program;
    const { outer, inner } = this.#kernel;
    const elements = count(inner);
    const stage = this.#stageOf(number) as Extract<Stage, { kind: 'scan' }>;
    const { reverse, op, value } = stage;
    const [row, last] = this.#divide(this.program.thread, elements);
    this.#indices.bindDigits(0, outer, row);
    const cut = this.#cuts.get(number);
    const size = cut?.size ?? elements;
    const [part] = this.#divide(last, size);
    const before = cut && this.#partial(cut.before, cut.dtype, row, cut.parts, part);
    const total = new Total(this.program, op, value.dtype, before);
    code.loop(size, (turn) => {
      const place = reverse ? `${size - 1} - ${turn.text}` : turn.text;
      const element = code.define(`${part.text} * ${size} + ${place}`, 'float', [part, turn]);
      code.block(`if (${element.text} ${reverse ? '>' : '<'}= ${last.text})`, () => {
        this.#within(size * (cut?.parts ?? 1), element, () => this.#addElement(element, stage, total));
      });
    });
    return total.now();
  }

  #stageOf(number: number): OrderedStage {
    return this.#kernel.stages[number] as OrderedStage;
  }

  #reduce(number: number): Computed {
    const { code } = this.program;
    const { op, value } = this.#stageOf(number);
    const total = new Total(this.program, op, value.dtype);
    const cut = this.#cuts.get(number);
    if (cut) {
      const row = this.#position(0, this.#kernel.outer);
      code.loop(cut.parts, (part) => total.add(this.#partial(cut.totals, cut.dtype, row, cut.parts, part)));
    } else this.#eachElement(() => total.add(this.#expressions.value(value)));
    return total.now();
  }

  /** Loops over the inner axes. */
  #eachElement(body: () => void): void {
    const { outer, inner } = this.#kernel;
    // A body that never runs may read what nobody makes.
    if (count(inner) === 0) return;
    const open = (axis: number): void => {
      const size = inner[axis];
      if (size === undefined) {
        this.#isInRow = true;
        body();
        this.#isInRow = false;
      } else if (size === 1) open(axis + 1);
      else {
        this.program.code.loop(size, (turn) => {
          this.#indices.bind(outer.length + axis, turn);
          open(axis + 1);
        });
      }
    };
    open(0);
  }

  #addElement(element: Value, { value }: OrderedStage, total: Total): void {
    this.#isInRow = true;
    this.#indices.bindDigits(this.#kernel.outer.length, this.#kernel.inner, element);
    total.add(this.#expressions.value(value));
    this.#isInRow = false;
  }

  /** The last parts reach beyond the row where they are as long as the others. */
  #within(reached: number, element: Value, body: () => void): void {
    const elements = count(this.#kernel.inner);
    if (reached <= elements) body();
    else this.program.code.block(`if (${element.text} < ${elements})`, body);
  }

  /** What a part of a row comes to. */
  #partial(array: number, dtype: DType, row: Value, parts: number, part: Value): Computed {
    const { code } = this.program;
    const place = code.define(`${row.text} * ${parts} + ${part.text}`, 'float', [row, part]);
    return this.program.load({ kind: 'temporary', number: array }, dtype, place);
  }

  /** Quotient and remainder. */
  #divide(value: Value, by: number): [Value, Value] {
    const { code } = this.program;
    const quotient = this.program.call('floorQuotient', value, code.given(`${by}`));
    return [quotient, code.define(`${value.text} - ${quotient.text} * ${by}`, 'float', [value, quotient])];
  }

  #stage(number: number): Computed {
    const stage = this.#kernel.stages[number] as Stage;
    const { code } = this.program;
    if (stage.kind === 'map' || stage.kind === 'store') return this.#expressions.value(exprOf(stage));
    if (this.#reducesHere && !this.#isInRow) return this.#reduce(number);
    const { outer, inner } = this.#kernel;
    const row = this.#position(0, outer);
    const place =
      stage.kind === 'reduce'
        ? row
        : code.define(`${row.text} * ${count(inner)} + ${this.#position(outer.length, inner).text}`, 'float', [
            row,
            this.#position(outer.length, inner),
          ]);
    return this.program.load({ kind: 'temporary', number }, stage.value.dtype, place);
  }

  /** Row-major position in axes from `first` on. */
  #position(first: number, sizes: readonly number[]): Value {
    // Where an axis has no elements nothing is computed, but it is printed.
    const spans = sizes.map((size) => Math.max(1, size));
    let stride = count(spans);
    let index: Parameters<Indices['value']>[0] = { kind: 'literal', value: 0 };
    spans.forEach((span, i) => {
      stride /= span;
      const left = { kind: 'axis', axis: first + i } as const;
      index = { kind: 'add', left: index, right: { kind: 'mul', left, by: stride } };
    });
    return this.#indices.value(index);
  }
}
