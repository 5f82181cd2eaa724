import { type Contraction, visitExprs } from '@evenkeel/tensor/kernel';
import type { Value } from '../code.ts';
import { Lanes } from '../lanes.ts';
import type { Program } from '../program.ts';
import { innermost, stepOf } from '../steps.ts';
import { type Side, type SideAxes, sideAxes } from './sides.ts';
import { type Sizes, sizesOf, type Tile } from './tile.ts';

/** Up to so many operations of an epilogue a block's results are stored one after the other, without a loop. */
const FEW = 8;

/** What becomes of a thread's block of sums: each group of 4 rows and 4 columns is stored as it lies in memory. */
export class Results {
  readonly #kernel: Contraction;
  readonly #tile: Tile;
  readonly #sizes: Sizes;
  readonly #program: Program;
  readonly #type: 'f32' | 'i32' | 'u32';
  /** Whether the sums are whole: stored by the epilogue, or else kept as parts. */
  readonly #isFinal: boolean;
  /** Along which side four neighbours are stored at once, if any. */
  readonly #along: Side | undefined;
  readonly #lanes: Lanes;
  /** The sums that the lanes have at the moment. */
  #sums: readonly Value[] = [];

  constructor(
    kernel: Contraction,
    tile: Tile,
    parts: { readonly program: Program; readonly type: 'f32' | 'i32' | 'u32'; readonly isFinal: boolean },
  ) {
    this.#kernel = kernel;
    this.#tile = tile;
    this.#sizes = sizesOf(kernel);
    this.#program = parts.program;
    this.#type = parts.type;
    this.#isFinal = parts.isFinal;
    const inFours = parts.isFinal && !parts.program.traits.compilesSlowly;
    const [columns, rows] = inFours ? [this.#lanesAlong('b'), this.#lanesAlong('a')] : [];
    this.#along = columns ? 'b' : rows ? 'a' : undefined;
    this.#lanes = columns ?? rows ?? this.#lanesOver();
  }

  #lanesOver(along?: SideAxes): Lanes {
    const { batch, m, n, k } = this.#kernel;
    return new Lanes(this.#program, [...batch, ...m, ...n, ...k], along, (lane) => ({
      accumulator: () => this.#sums[lane] as Value,
    }));
  }

  #lanesAlong(side: Side): Lanes | undefined {
    const axes = sideAxes(this.#kernel, side);
    const { stores } = this.#kernel;
    if (axes.extent % 4 !== 0) return undefined;
    const lanes = this.#lanesOver(axes);
    const fours = lanes.foursOf([], stores);
    return stores.every(({ operand }) => fours.has(operand)) ? lanes : undefined;
  }

  /** Operands that are moved four elements at a time, with those of the sums' own operands. */
  foursWith(others: readonly number[]): Set<number> {
    const own = this.#along === undefined ? [] : this.#lanes.foursOf([], this.#kernel.stores);
    return new Set([...others, ...own]);
  }

  /** Whether neighbouring rows, rather than columns, are neighbours where they are stored. */
  get rowsAreNeighbours(): boolean {
    const index = this.#kernel.stores[0]?.index;
    if (index === undefined || !this.#isFinal) return false;
    const [rows, columns] = (['a', 'b'] as const).map((side) => {
      const { first, sizes } = sideAxes(this.#kernel, side);
      const axis = innermost(first, sizes);
      return axis === undefined ? 0 : stepOf(index, axis);
    });
    return rows === 1 && columns !== 1;
  }

  /** Stores each sum of a thread's block that is an output: `sums` by row, then by four columns. */
  print(sums: readonly (readonly string[])[]): void {
    let operations = 0;
    visitExprs(
      this.#kernel.stores.map(({ value }) => value),
      (expr) => {
        if ('op' in expr || expr.kind === 'load') operations++;
        return undefined;
      },
    );
    if (this.#along !== undefined && operations <= FEW) this.#unrolled(sums);
    else this.#looped(sums);
  }

  #unrolled(sums: readonly (readonly string[])[]): void {
    const { rows, columns } = this.#tile;
    const sum = (i: number, j: number): Value =>
      this.#program.code.given(`${(sums[i] as readonly string[])[j >> 2]}.${'xyzw'[j & 3]}`, this.#type);
    for (let i = 0; i < rows; i += this.#along === 'a' ? 4 : 1) {
      for (let j = 0; j < columns; j += this.#along === 'b' ? 4 : 1) {
        const four = [0, 1, 2, 3].map((c) => (this.#along === 'a' ? sum(i + c, j) : sum(i, j + c)));
        this.#inside(`${i}`, `${j}`, (row, column) => this.#store(row, column, four));
      }
    }
  }

  #looped(sums: readonly (readonly string[])[]): void {
    const { code } = this.#program;
    const { rows, columns } = this.#tile;
    const flat = sums.flat();
    code.line(`var sums = array<vec4<${this.#type}>, ${flat.length}>(${flat.join(', ')});`);
    const sum = (i: string, j: string): Value =>
      code.now(`sums[(${i}) * ${columns / 4} + ((${j}) >> 2u)][(${j}) & 3]`, this.#type);
    code.block(`for (var i = 0; i < ${rows}; i += ${this.#along === 'a' ? 4 : 1})`, () => {
      code.block(`for (var j = 0; j < ${columns}; j += ${this.#along === 'b' ? 4 : 1})`, () => {
        this.#inside('i', 'j', (row, column) => {
          if (this.#along === undefined) return this.#store(row, column, [sum('i', 'j')]);
          const lanes = [0, 1, 2, 3];
          const four = lanes.map((c) => (this.#along === 'a' ? sum(`i + ${c}`, 'j') : sum('i', `j + ${c}`)));
          return this.#store(row, column, four);
        });
      });
    });
  }

  /** `body` with row and column `i` and `j` of the block, where they are outputs. */
  #inside(i: string, j: string, body: (row: Value, column: Value) => void): void {
    const { code } = this.#program;
    const tile = this.#tile;
    const { m, n } = this.#sizes;
    const rowText = `rowStart + (((${i} >> 2u) * ${tile.m / tile.rows} + rowThread) << 2u) + (${i} & 3)`;
    const columnText = `columnStart + (((${j} >> 2u) * ${tile.n / tile.columns} + columnThread) << 2u) + (${j} & 3)`;
    const [row, column] = [code.now(rowText, 'i32'), code.now(columnText, 'i32')];
    const limits = [
      ...(m % tile.m === 0 ? [] : [`${row.text} < ${m}`]),
      ...(n % tile.n === 0 ? [] : [`${column.text} < ${n}`]),
    ];
    if (limits.length === 0) body(row, column);
    else {
      // Named anew: nothing that is read there may be read before.
      code.block(`if (${limits.join(' && ')})`, () => body(code.now(row.text, 'i32'), code.now(column.text, 'i32')));
    }
  }

  /** Stores a sum, or four neighbours from `row` or `column` on. */
  #store(row: Value, column: Value, sums: readonly Value[]): void {
    const { code } = this.#program;
    const { batch, m, n } = this.#sizes;
    if (!this.#isFinal) {
      const scratch = this.#program.scratch(0, true);
      const place = `((split * ${batch} + batch) * ${m} + ${row.text}) * ${n} + ${column.text}`;
      code.line(`${scratch}[${place}] = ${this.#program.bitsOf(sums[0] as Value)};`);
      return;
    }
    this.#sums = sums;
    this.#lanes.forget();
    this.#lanes.bindDigits(0, this.#kernel.batch, code.given('batch', 'i32'));
    for (const [side, position] of [
      ['a', row],
      ['b', column],
    ] as const) {
      const { first, sizes } = sideAxes(this.#kernel, side);
      const fours = side === this.#along;
      const bound = fours ? code.define(`${position.text} >> 2u`, 'i32', [position]) : position;
      this.#lanes.bindDigits(first, sizes, bound);
    }
    const writes = this.#kernel.stores.map((store) => this.#lanes.prepareStore(store));
    for (const write of writes) write();
  }
}
