import type { Contraction } from '@evenkeel/tensor/kernel';
import type { Value } from '../code.ts';
import { Lanes } from '../lanes.ts';
import type { Program } from '../program.ts';
import { innermostSize, mainStep, type Side, type SideAxes, sideAxes, termAxes } from './sides.ts';

/**
 * How four neighbours are taken: four rows (or columns) of one term, four terms of one row, as they lie in memory; or four
 * rows one by one.
 */
type Way = 'across' | 'along' | 'single';

/**
 * The part of an operand that a workgroup shares for some terms: `width` rows (or columns) of `depth` terms. Its threads
 * evaluate it together, four neighbours at a time; it is stored by term, four rows in each element.
 */
export class OperandTile {
  readonly #kernel: Contraction;
  readonly #side: Side;
  readonly #program: Program;
  readonly #width: number;
  readonly #depth: number;
  readonly #threads: number;
  readonly #type: string;
  readonly #axes: SideAxes;
  readonly #terms: SideAxes;
  readonly #way: Way;
  readonly #lanes: Lanes;
  /** Whether neighbouring threads take neighbouring terms, rather than rows. */
  readonly #termsFirst: boolean;
  #shared = '';

  constructor(
    kernel: Contraction,
    side: Side,
    parts: {
      readonly program: Program;
      readonly width: number;
      readonly depth: number;
      readonly threads: number;
      readonly type: 'f32' | 'i32' | 'u32';
    },
  ) {
    this.#kernel = kernel;
    this.#side = side;
    this.#program = parts.program;
    this.#width = parts.width;
    this.#depth = parts.depth;
    this.#threads = parts.threads;
    this.#type = parts.type;
    this.#axes = sideAxes(kernel, side);
    this.#terms = termAxes(kernel);
    const across = this.#lanesAlong(this.#axes);
    const along = across ? undefined : this.#lanesAlong(this.#terms);
    this.#way = across ? 'across' : along ? 'along' : 'single';
    this.#lanes = across ?? along ?? new Lanes(parts.program, this.#sizes);
    this.#termsFirst = this.#way === 'along' || (this.#way === 'single' && this.#termsAreLonger());
  }

  get #sizes(): number[] {
    const { batch, m, n, k } = this.#kernel;
    return [...batch, ...m, ...n, ...k];
  }

  /** Lanes along these axes, if neighbours there are neighbours in memory. */
  #lanesAlong(axes: SideAxes): Lanes | undefined {
    const expr = this.#kernel[this.#side];
    if (axes.extent === 0 || axes.extent % 4 !== 0 || mainStep(expr, axes) !== 1) return undefined;
    const lanes = new Lanes(this.#program, this.#sizes, axes);
    return lanes.foursOf([expr], []).size > 0 ? lanes : undefined;
  }

  /** Whether more terms than rows are neighbours in memory; of a convolution's patches they are the taps of a row. */
  #termsAreLonger(): boolean {
    const expr = this.#kernel[this.#side];
    if (Math.abs(mainStep(expr, this.#terms)) !== 1) return false;
    return Math.abs(mainStep(expr, this.#axes)) !== 1 || innermostSize(this.#terms) >= innermostSize(this.#axes);
  }

  /** Operands that are read four elements at a time. */
  get fours(): Set<number> {
    return this.#way === 'single' ? new Set() : this.#lanes.foursOf([this.#kernel[this.#side]], []);
  }

  /** Makes the shared memory. */
  declare(): void {
    this.#shared = this.#program.shared(`vec4<${this.#type}>`, (this.#depth * this.#width) / 4);
  }

  /** Fours that a thread takes at most. */
  get turns(): number {
    return Math.ceil((this.#width * this.#depth) / 4 / this.#threads);
  }

  /** Evaluates a thread's share of the terms from `step` on: the components of each four. */
  evaluate(step: Value, start: Value): string[][] {
    const { code } = this.#program;
    return Array.from({ length: this.turns }, (_, turn) => {
      const { term, row } = this.#place(turn);
      const scale = this.#way === 'along' ? 4 : 1;
      const { extent } = this.#terms;
      const first = scale === 1 ? step : code.define(`${step.text} >> 2u`, 'i32', [step]);
      const at = code.define(`${first.text} + ${term.text}`, 'i32', [first, term]);
      const isWhole = extent % this.#depth === 0;
      const inside = isWhole ? undefined : code.define(`${at.text} < ${extent / scale}`, 'bool', [at]);
      const counted = isWhole ? at : code.define(`min(${at.text}, ${extent / scale - 1})`, 'i32', [at]);
      const values = this.#fourAt(start, row, counted);
      return values.map(({ text }) => (inside ? `select(${this.#type}(0), ${text}, ${inside.text})` : text));
    });
  }

  #fourAt(start: Value, row: Value, term: Value): Value[] {
    const { code } = this.#program;
    const expr = this.#kernel[this.#side];
    const { first, sizes, extent } = this.#axes;
    const isWhole = extent % this.#width === 0;
    const bindAll = (position: Value, limit: number): void => {
      const inside = isWhole ? position : code.define(`min(${position.text}, ${limit - 1})`, 'i32', [position]);
      this.#lanes.bindDigits(0, this.#kernel.batch, code.given('batch', 'i32'));
      this.#lanes.bindDigits(first, sizes, inside);
      this.#lanes.bindDigits(this.#terms.first, this.#terms.sizes, term);
      this.#lanes.forget();
    };
    if (this.#way === 'along') {
      bindAll(code.define(`${start.text} + ${row.text}`, 'i32', [start, row]), extent);
      return [...this.#lanes.values(expr)];
    }
    if (this.#way === 'across') {
      const fours = code.define(`${start.text} >> 2u`, 'i32', [start]);
      bindAll(code.define(`${fours.text} + ${row.text}`, 'i32', [fours, row]), extent / 4);
      return [...this.#lanes.values(expr)];
    }
    return [0, 1, 2, 3].map((i) => {
      bindAll(code.define(`${start.text} + ${row.text} * 4 + ${i}`, 'i32', [start, row]), extent);
      return this.#lanes.value(expr, 0);
    });
  }

  /** Which terms and rows a thread takes: of four terms and a row, or a term and four rows. */
  #place(turn: number): { term: Value; row: Value } {
    const { code } = this.#program;
    const [terms, rows] = this.#way === 'along' ? [this.#depth / 4, this.#width] : [this.#depth, this.#width / 4];
    const lane = code.given('lane', 'i32');
    const unit = turn === 0 ? lane : code.define(`lane + ${turn * this.#threads}`, 'i32', [lane]);
    const [fast, slow] = this.#termsFirst ? [terms, rows] : [rows, terms];
    const low = code.define(`${unit.text} & ${fast - 1}`, 'i32', [unit]);
    const high = code.define(`(${unit.text} >> ${Math.log2(fast)}u) & ${slow - 1}`, 'i32', [unit]);
    return this.#termsFirst ? { term: low, row: high } : { term: high, row: low };
  }

  /** Writes what was evaluated to the shared memory. */
  write(fours: readonly (readonly string[])[]): void {
    const { code } = this.#program;
    fours.forEach((values, turn) => {
      const { term, row } = this.#place(turn);
      const lines: string[] = [];
      if (this.#way === 'along') {
        const turned = this.#turned(`(${row.text} >> 2u)`, term.text);
        const at = code.define(turned, 'i32', [term, row]);
        const component = code.define(`${row.text} & 3`, 'i32', [row]);
        values.forEach((value, i) => {
          const line = code.define(`(${term.text} * 4 + ${i}) * ${this.#width / 4} + ${at.text}`, 'i32', [term, at]);
          lines.push(`${this.#shared}[${line.text}][${component.text}] = ${value};`);
        });
      } else {
        const at = this.#turned(row.text, term.text);
        const place = code.define(`${term.text} * ${this.#width / 4} + ${at}`, 'i32', [term, row]);
        lines.push(`${this.#shared}[${place.text}] = vec4<${this.#type}>(${values.join(', ')});`);
      }
      const left = (this.#width * this.#depth) / 4 - turn * this.#threads;
      if (left >= this.#threads) for (const line of lines) code.line(line);
      else
        code.block(`if (lane < ${left})`, () => {
          for (const line of lines) code.line(line);
        });
    });
  }

  /** The text of the four rows `row` of term `depth`. */
  read(row: string, depth: number): string {
    return `${this.#shared}[${(depth * this.#width) / 4} + (${row}${this.#turnOf(depth)})]`;
  }

  /** What turns places of a known term. */
  #turnOf(depth: number): string {
    if (!this.#termsFirst) return '';
    const by = this.#way === 'single' ? depth : (depth >> 2) * this.#bankStep;
    return (by & this.#mask) === 0 ? '' : ` ^ ${by & this.#mask}`;
  }

  /**
   * Where a four lies among those of its term: turned by term where neighbouring threads write terms, so that they do not
   * meet in a bank of the shared memory.
   */
  #turned(row: string, term: string): string {
    if (!this.#termsFirst) return row;
    const by = this.#way === 'single' ? term : `${term} * ${this.#bankStep}`;
    return `(${row} ^ ((${by}) & ${this.#mask}))`;
  }

  get #mask(): number {
    return Math.min(7, this.#width / 4 - 1);
  }

  /** Fours of terms share the 8 places of a bank's width. */
  get #bankStep(): number {
    return Math.max(1, 32 / this.#depth);
  }
}
