import type { DType } from '@evenkeel/tensor';
import { type Expr, type RowKernel, type Stage, type Store, visitExprs } from '@evenkeel/tensor/kernel';
import type { Value } from './code.ts';
import { Expressions } from './expressions.ts';
import { Indices } from './indices.ts';
import type { Launch } from './launch.ts';
import { type Computed, Program } from './program.ts';
import { Total } from './total.ts';

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

const exprOf = (stage: Stage): Expr => (stage.kind === 'store' ? stage.store.value : stage.value);

/**
 * A launch for each store, each reduction (its threads make one row each) and each scan (one element each). A reduction that
 * a single row store uses is made by the store's threads.
 */
export function printRow(kernel: RowKernel): Launch[] {
  const { stages, operands, outer, inner } = kernel;
  const stores = stages.flatMap((stage) => (stage.kind === 'store' ? [stage] : []));
  const ordered = stages.flatMap((stage, i) => (stage.kind === 'reduce' || stage.kind === 'scan' ? [i] : []));
  const [only, ...others] = stores;
  const isFused = only?.domain === 'row' && others.length === 0 && ordered.length === 1;
  const inPlace = isFused && stages[ordered[0] as number]?.kind === 'reduce';
  const launches: Launch[] = [];
  if (!inPlace) {
    for (const number of ordered) {
      const stage = stages[number] as Extract<Stage, { kind: 'reduce' | 'scan' }>;
      const printer = new RowPrinter(kernel, stage.value.dtype, false);
      const value =
        stage.kind === 'reduce' ? printer.reduceOfThread(number) : printer.scanOfThread(number, product(inner));
      const length = product(outer) * (stage.kind === 'reduce' ? 1 : product(inner));
      if (length > 0) launches.push(printer.program.finish({ kind: 'temporary', number }, length, value));
    }
  }
  for (const { store, domain } of stores) {
    const length = product(outer) * (domain === 'row' ? 1 : product(inner));
    if (length === 0) continue;
    const printer = new RowPrinter(kernel, operands[store.operand]?.dtype as DType, inPlace);
    const value = printer.store(store);
    launches.push(printer.program.finish({ kind: 'operand', number: store.operand }, length, value));
  }
  return launches;
}

class RowPrinter {
  readonly program: Program;
  readonly #kernel: RowKernel;
  readonly #indices: Indices;
  readonly #expressions: Expressions;
  /** Whether reductions are made here rather than read. */
  readonly #reducesHere: boolean;
  #element: Value | undefined;

  constructor(kernel: RowKernel, result: DType, reducesHere: boolean) {
    this.#kernel = kernel;
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

  /** This thread's element of a scan, all elements up to it combined. */
  scanOfThread(number: number, elements: number): Computed {
    const { code, thread } = this.program;
    const { outer, stages } = this.#kernel;
    const stage = stages[number] as Extract<Stage, { kind: 'scan' }>;
    const row = this.program.call('floorQuotient', thread, code.given(`${elements}`));
    const last = code.define(`${thread.text} - ${row.text} * ${elements}`, 'float', [thread, row]);
    this.#indices.bindDigits(0, outer, row);
    const total = new Total(this.program, stage.op, stage.value.dtype);
    code.loop(elements, (turn) => {
      const element = stage.reverse ? code.now(`${elements - 1} - ${turn.text}`, 'float') : turn;
      const isCounted = stage.reverse ? `${element.text} >= ${last.text}` : `${element.text} <= ${last.text}`;
      code.block(`if (${isCounted})`, () => this.#combineAt(element, stage, total));
    });
    return total.now();
  }

  #reduce(number: number): Computed {
    const stage = this.#kernel.stages[number] as Extract<Stage, { kind: 'reduce' }>;
    const total = new Total(this.program, stage.op, stage.value.dtype);
    const elements = product(this.#kernel.inner);
    this.program.code.loop(elements, (element) => this.#combineAt(element, stage, total));
    return total.now();
  }

  #combineAt(element: Value, stage: Extract<Stage, { kind: 'reduce' | 'scan' }>, total: Total): void {
    const { outer, inner } = this.#kernel;
    this.#element = element;
    this.#indices.bindDigits(outer.length, inner, element);
    total.add(this.#expressions.value(stage.value));
    this.#element = undefined;
  }

  #stage(number: number): Computed {
    const stage = this.#kernel.stages[number] as Stage;
    const { code } = this.program;
    if (stage.kind === 'map' || stage.kind === 'store') return this.#expressions.value(exprOf(stage));
    if (this.#reducesHere && this.#element === undefined) return this.#reduce(number);
    const { outer, inner } = this.#kernel;
    const row = this.#position(0, outer);
    const place =
      stage.kind === 'reduce'
        ? row
        : code.define(`${row.text} * ${product(inner)} + ${this.#position(outer.length, inner).text}`, 'float', [
            row,
            this.#position(outer.length, inner),
          ]);
    return this.program.load({ kind: 'temporary', number }, stage.value.dtype, place);
  }

  /** Row-major position in axes from `first` on. */
  #position(first: number, sizes: readonly number[]): Value {
    let stride = product(sizes);
    let index: Parameters<Indices['value']>[0] = { kind: 'literal', value: 0 };
    sizes.forEach((size, i) => {
      stride /= size;
      const left = { kind: 'axis', axis: first + i } as const;
      index = { kind: 'add', left: index, right: { kind: 'mul', left, by: stride } };
    });
    return this.#indices.value(index);
  }
}
