import type { Expr, Store } from '@evenkeel/tensor/kernel';
import { visitExprs } from '@evenkeel/tensor/kernel';
import type { Value } from './code.ts';
import { type ExpressionContext, Expressions } from './expressions.ts';
import type { Indices } from './indices.ts';
import type { Program } from './program.ts';

/** Axes from `first` on, of these sizes. */
export interface Axes {
  readonly first: number;
  readonly sizes: readonly number[];
}

/** What a thread computes at once: one element, or four neighbours along some axes, which memory then moves together. */
export class Lanes {
  readonly #program: Program;
  readonly #indices: readonly Indices[];
  readonly #expressions: readonly Expressions[];

  /**
   * @param along the axes along which there are four, if there are: a multiple of 4 positions, and what is bound to them
   * counts fours.
   * @param contextOf what expressions may refer to, by lane.
   */
  constructor(
    program: Program,
    sizes: readonly number[],
    along?: Axes,
    contextOf: (lane: number) => ExpressionContext = () => ({}),
  ) {
    this.#program = program;
    this.#indices =
      along === undefined
        ? [program.indices(sizes)]
        : [0, 1, 2, 3].map((number) => program.indices(sizes, { first: along.first, sizes: along.sizes, number }));
    this.#expressions = this.#indices.map((indices, lane) => new Expressions(program, indices, contextOf(lane)));
  }

  get count(): number {
    return this.#indices.length;
  }

  bindDigits(first: number, sizes: readonly number[], position: Value): void {
    for (const indices of this.#indices) indices.bindDigits(first, sizes, position);
  }

  /** Axes or stages mean something else from now on. */
  forget(): void {
    for (const expressions of this.#expressions) expressions.forget();
  }

  /** By lane. */
  values(expr: Expr): readonly Value[] {
    return this.#expressions.map((expressions) => expressions.value(expr));
  }

  value(expr: Expr, lane: number): Value {
    return (this.#expressions[lane] as Expressions).value(expr);
  }

  /** Computes a store's values and places; writes nothing before the returned function is called. */
  prepareStore(store: Store): () => void {
    if (!this.#isFour(store)) {
      const writes = this.#expressions.map((expressions) => expressions.prepareStore(store));
      return () => {
        for (const write of writes) write();
      };
    }
    const { at } = (this.#indices[0] as Indices).fourOf(store.index);
    const values = this.values(store.value);
    return () => this.#program.storeFour(store.operand, at, values);
  }

  /** Operands that these expressions and stores move four elements at a time. */
  foursOf(values: readonly Expr[], stores: readonly Store[]): Set<number> {
    const [indices] = this.#indices;
    const found = new Set<number>();
    visitExprs([...values, ...stores.map(({ value }) => value)], (expr) => {
      if (expr.kind === 'load' && indices?.areNeighbours(expr.index)) found.add(expr.operand);
      return undefined;
    });
    for (const store of stores) if (this.#isFour(store)) found.add(store.operand);
    // Whole words of pairs are written, or none.
    for (const store of stores) {
      if (this.#program.isPacked(store.operand) && !this.#isFour(store)) found.delete(store.operand);
    }
    return found;
  }

  #isFour({ index }: Store): boolean {
    return this.#indices.every((indices, lane) => indices.areNeighbours(index) && indices.elementOf(index) === lane);
  }
}
