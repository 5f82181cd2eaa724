import type { DType } from '@evenkeel/tensor';
import { type Expr, type RowKernel, type Stage, type Store, visitExprs } from '@evenkeel/tensor/kernel';
import type { Value } from './code.ts';
import { combine, Expressions, identityOf } from './expressions.ts';
import { Indices } from './indices.ts';
import type { Launch } from './launch.ts';
import { Program } from './program.ts';
import { refuseStored } from './stored.ts';

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
      const printer = new RowPrinter(kernel, false);
      const value =
        stage.kind === 'reduce' ? printer.reduceOfThread(number) : printer.scanOfThread(number, product(inner));
      const length = product(outer) * (stage.kind === 'reduce' ? 1 : product(inner));
      if (length > 0) launches.push(printer.program.finish({ kind: 'temporary', number }, length, value));
    }
  }
  for (const { store, domain } of stores) {
    const length = product(outer) * (domain === 'row' ? 1 : product(inner));
    if (length === 0) continue;
    const printer = new RowPrinter(kernel, inPlace);
    const value = printer.store(store);
    refuseStored(operands[store.operand]?.dtype as DType);
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

  constructor(kernel: RowKernel, reducesHere: boolean) {
    this.#kernel = kernel;
    this.#reducesHere = reducesHere;
    this.program = new Program(kernel);
    this.#indices = new Indices([...kernel.outer, ...kernel.inner], this.program);
    this.#expressions = new Expressions(this.program, this.#indices, { stage: (stage) => this.#stage(stage) });
  }

  store({ index, value }: Store): Value {
    this.#indices.bindStore(index);
    // A reduction is made before what uses it, whatever block that is in.
    if (this.#reducesHere) visitExprs([value], (expr) => void (expr.kind === 'stage' && this.#expressions.value(expr)));
    return this.#expressions.value(value);
  }

  /** This thread's row reduced. */
  reduceOfThread(number: number): Value {
    this.#indices.bindDigits(0, this.#kernel.outer, this.program.thread);
    return this.#reduce(number);
  }

  /** This thread's element of a scan, all elements up to it combined. */
  scanOfThread(number: number, elements: number): Value {
    const { code, thread } = this.program;
    const { outer, stages } = this.#kernel;
    const stage = stages[number] as Extract<Stage, { kind: 'scan' }>;
    const row = this.program.call('floorQuotient', thread, code.given(`${elements}`));
    const last = code.define(`${thread.text} - ${row.text} * ${elements}`, 'float', [thread, row]);
    this.#indices.bindDigits(0, outer, row);
    const total = this.#total(stage);
    code.loop(elements, (turn) => {
      const element = stage.reverse ? code.now(`${elements - 1} - ${turn.text}`, 'float') : turn;
      const isCounted = stage.reverse ? `${element.text} >= ${last.text}` : `${element.text} <= ${last.text}`;
      code.block(`if (${isCounted})`, () => this.#combineAt(element, stage, total));
    });
    return this.#result(total, stage.value.dtype);
  }

  #reduce(number: number): Value {
    const stage = this.#kernel.stages[number] as Extract<Stage, { kind: 'reduce' }>;
    const total = this.#total(stage);
    const elements = product(this.#kernel.inner);
    this.program.code.loop(elements, (element) => this.#combineAt(element, stage, total));
    return this.#result(total, stage.value.dtype);
  }

  #total({ op, value }: { op: 'sum' | 'max' | 'min' | 'prod'; value: Expr }): string {
    const { code } = this.program;
    const name = code.name('total');
    code.line(`let ${name} = ${this.program.number(identityOf(op, value.dtype)).text};`);
    return name;
  }

  #combineAt(element: Value, stage: Extract<Stage, { kind: 'reduce' | 'scan' }>, total: string): void {
    const { code } = this.program;
    const { outer, inner } = this.#kernel;
    this.#element = element;
    this.#indices.bindDigits(outer.length, inner, element);
    const value = this.#expressions.value(stage.value);
    const number = value.type === 'bool' ? code.define(`${value.text} ? 1 : 0`, 'float', [value]) : value;
    const before = code.now(total, 'float');
    code.line(`${total} = ${combine(this.program, stage.op, before, number).text};`);
    this.#element = undefined;
  }

  #result(total: string, dtype: DType): Value {
    const value = this.program.code.now(total, 'float');
    return dtype === 'bool' ? this.program.code.define(`${value.text} > 0.5`, 'bool', [value]) : value;
  }

  #stage(number: number): Value {
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
    const value = this.program.element({ kind: 'temporary', number }, place);
    return stage.value.dtype === 'bool' ? code.define(`${value.text} > 0.5`, 'bool', [value]) : value;
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
