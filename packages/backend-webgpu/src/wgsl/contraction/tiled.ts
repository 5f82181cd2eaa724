import type { Contraction } from '@evenkeel/tensor/kernel';
import { writtenOperands } from '../axes.ts';
import type { Value } from '../code.ts';
import type { DeviceTraits } from '../device-traits.ts';
import type { Launch } from '../printed-kernel.ts';
import { Program, wgslTypes } from '../program.ts';
import { OperandTile } from './operand-tile.ts';
import { Results } from './results.ts';
import { printShortWalk } from './short-walk.ts';
import { groupsOf, type Sizes, sizesOf, type Tile, threadsOf } from './tile.ts';

/** What becomes of the sums: stored by the epilogue, or kept as partial sums of `splits` parts. */
export type Outcome = { readonly kind: 'stores' } | { readonly kind: 'partial'; readonly splits: number };

/**
 * A contraction as tiles. The threads of a workgroup evaluate the operands of a tile into shared memory (their index maps
 * and prologues with them, so a convolution's patches are never stored), four neighbours at a time; each multiplies a
 * block of it in registers.
 */
export function printTiled(kernel: Contraction, tile: Tile, outcome: Outcome, traits: DeviceTraits): Launch {
  return new TiledPrinter(kernel, tile, outcome, traits).print();
}

class TiledPrinter {
  readonly #kernel: Contraction;
  readonly #tile: Tile;
  readonly #outcome: Outcome;
  readonly #sizes: Sizes;
  readonly #program: Program;
  readonly #threads: number;
  readonly #type: 'f32' | 'i32' | 'u32';
  readonly #a: OperandTile;
  readonly #b: OperandTile;
  readonly #results: Results;

  constructor(kernel: Contraction, tile: Tile, outcome: Outcome, traits: DeviceTraits) {
    this.#kernel = kernel;
    this.#tile = tile;
    this.#outcome = outcome;
    this.#sizes = sizesOf(kernel);
    const isFinal = outcome.kind === 'stores';
    const program = new Program(kernel, isFinal ? writtenOperands(kernel.operands) : new Set<number>(), traits);
    this.#program = program;
    this.#threads = threadsOf(tile);
    this.#type = wgslTypes[kernel.dtype] as 'f32';
    const parts = { program, depth: tile.k, threads: this.#threads, type: this.#type };
    this.#a = new OperandTile(kernel, 'a', { ...parts, width: tile.m });
    this.#b = new OperandTile(kernel, 'b', { ...parts, width: tile.n });
    this.#results = new Results(kernel, tile, { program, type: this.#type, isFinal });
    if (!traits.compilesSlowly) program.bindFours(this.#results.foursWith([...this.#a.fours, ...this.#b.fours]));
  }

  print(): Launch {
    const { code } = this.#program;
    const { batch, m, n, k } = this.#sizes;
    const tile = this.#tile;
    const [tilesM, tilesN] = [Math.ceil(m / tile.m), Math.ceil(n / tile.n)];
    const splits = this.#outcome.kind === 'partial' ? this.#outcome.splits : 1;
    // Neighbouring workgroups share rows of one operand and are near in the other.
    code.line(`let columnStart = (group % ${tilesN}) * ${tile.n};`);
    code.line(`let rowStart = ((group / ${tilesN}) % ${tilesM}) * ${tile.m};`);
    code.line(`let batch = (group / ${tilesN * tilesM}) % ${batch};`);
    const chunk = Math.ceil(k / splits / tile.k) * tile.k;
    code.line(`let split = group / ${tilesN * tilesM * batch};`);
    code.line(`let firstTerm = split * ${chunk};`);
    code.line(`let endTerm = min(firstTerm + ${chunk}, ${k});`);
    const isShort = this.#program.traits.compilesSlowly;
    if (!isShort) {
      this.#a.declare();
      this.#b.declare();
    }
    this.#placeThreads();
    const sums = this.#sumNames();
    for (const name of sums.flat()) code.line(`var ${name} = ${this.#vector}();`);
    if (isShort) {
      printShortWalk({ kernel: this.#kernel, tile, program: this.#program, type: this.#type, sums });
    } else {
      this.#walk(Math.ceil(chunk / tile.k), sums);
    }
    this.#results.print(sums);
    return this.#program.finish(groupsOf(this.#sizes, tile) * splits, [this.#threads, 1]);
  }

  /** Which block of the tile is a thread's: those of 32 neighbours are 8 by 4, so that few words are read at a time. */
  #placeThreads(): void {
    const { code } = this.#program;
    const { m, n, rows, columns } = this.#tile;
    const threads = [
      { name: 'columnThread', count: n / columns },
      { name: 'rowThread', count: m / rows },
    ];
    // Those whose results are neighbours in memory come first.
    if (this.#results.rowsAreNeighbours) threads.reverse();
    const [first, second] = threads as [(typeof threads)[0], (typeof threads)[0]];
    if (first.count < 8 || second.count < 4) {
      code.line(`let ${first.name} = lane % ${first.count};`);
      code.line(`let ${second.name} = lane / ${first.count};`);
      return;
    }
    const across = first.count / 8;
    code.line(`let ${first.name} = (lane & 7) | (((lane >> 5u) & ${across - 1}) << 3u);`);
    code.line(`let ${second.name} = ((lane >> 3u) & 3) | ((lane >> ${5 + Math.log2(across)}u) << 2u);`);
  }

  /** Takes the terms in steps. While a step's products are added, the operands of the next are on their way. */
  #walk(steps: number, sums: readonly (readonly string[])[]): void {
    const { code } = this.#program;
    const { k } = this.#tile;
    const a = this.#fetch(code.given('firstTerm', 'i32'));
    if (steps === 1) {
      this.#share(a);
      this.#multiply(sums);
      return;
    }
    const coming = a.map((four) => {
      const name = code.name('coming');
      code.line(`var ${name} = ${this.#vector}(${four.join(', ')});`);
      return name;
    });
    code.block(`for (var step = firstTerm; step < endTerm; step += ${k})`, () => {
      code.line('workgroupBarrier();');
      this.#share(coming.map((name) => ['x', 'y', 'z', 'w'].map((part) => `${name}.${part}`)));
      // After the last step it is fetched once more: that is faster than a branch.
      const next = code.now(`select(step, step + ${k}, step + ${k} < endTerm)`, 'i32');
      this.#fetch(next).forEach((four, i) => {
        code.line(`${coming[i]} = ${this.#vector}(${four.join(', ')});`);
      });
      this.#multiply(sums);
    });
  }

  get #vector(): string {
    return `vec4<${this.#type}>`;
  }

  /** A thread's share of both operands from term `step` on. */
  #fetch(step: Value): string[][] {
    const { code } = this.#program;
    return [
      ...this.#a.evaluate(step, code.given('rowStart', 'i32')),
      ...this.#b.evaluate(step, code.given('columnStart', 'i32')),
    ];
  }

  #share(fours: readonly (readonly string[])[]): void {
    this.#a.write(fours.slice(0, this.#a.turns));
    this.#b.write(fours.slice(this.#a.turns));
    this.#program.code.line('workgroupBarrier();');
  }

  /** By row of a thread's block, then by four columns. */
  #sumNames(): string[][] {
    const { rows, columns } = this.#tile;
    return Array.from({ length: rows }, (_, i) => Array.from({ length: columns / 4 }, (_, j) => `sum${i}_${j}`));
  }

  /** Every column of `a` times every row of `b`, in the order of k; without a loop, so that places are constants. */
  #multiply(sums: readonly (readonly string[])[]): void {
    const { code } = this.#program;
    const { m, n, k, rows, columns } = this.#tile;
    for (let depth = 0; depth < k; depth++) {
      code.block('', () => {
        for (let i = 0; i < rows / 4; i++) {
          code.line(`let left${i} = ${this.#a.read(`(${i * (m / rows)} + rowThread)`, depth)};`);
        }
        for (let j = 0; j < columns / 4; j++) {
          code.line(`let right${j} = ${this.#b.read(`(${j * (n / columns)} + columnThread)`, depth)};`);
        }
        sums.forEach((line, i) => {
          line.forEach((sum, j) => {
            code.line(`${sum} = ${sum} + left${i >> 2}.${'xyzw'[i & 3]} * right${j};`);
          });
        });
      });
    }
  }
}
