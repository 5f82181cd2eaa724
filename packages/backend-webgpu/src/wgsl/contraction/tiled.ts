import type { Contraction, Expr, Index } from '@evenkeel/tensor/kernel';
import { visitExprs } from '@evenkeel/tensor/kernel';
import { writtenOperands } from '../axes.ts';
import type { Value } from '../code.ts';
import type { DeviceTraits } from '../device-traits.ts';
import { Expressions } from '../expressions.ts';
import type { Indices } from '../indices.ts';
import type { Launch } from '../printed-kernel.ts';
import { Program, wgslTypes } from '../program.ts';
import { stepOf } from '../steps.ts';
import { groupsOf, type Sizes, sizesOf, type Tile, threadsOf } from './tile.ts';

type Side = 'a' | 'b';

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

  constructor(kernel: Contraction, tile: Tile, outcome: Outcome, traits: DeviceTraits) {
    this.#kernel = kernel;
    this.#tile = tile;
    this.#outcome = outcome;
    this.#sizes = sizesOf(kernel);
    const written = outcome.kind === 'stores' ? writtenOperands(kernel.operands) : new Set<number>();
    this.#program = new Program(kernel, written, traits);
    this.#threads = threadsOf(tile);
    this.#type = wgslTypes[kernel.dtype] as 'f32';
  }

  print(): Launch {
    const { code } = this.#program;
    const { m, n, k } = this.#sizes;
    const tile = this.#tile;
    const [tilesM, tilesN] = [Math.ceil(m / tile.m), Math.ceil(n / tile.n)];
    const splits = this.#outcome.kind === 'partial' ? this.#outcome.splits : 1;
    // Neighbouring workgroups share rows of one operand and are near in the other.
    code.line(`let columnStart = (group % ${tilesN}) * ${tile.n};`);
    code.line(`let rowStart = ((group / ${tilesN}) % ${tilesM}) * ${tile.m};`);
    code.line(`let batch = (group / ${tilesN * tilesM}) % ${this.#sizes.batch};`);
    const chunk = Math.ceil(k / splits / tile.k) * tile.k;
    code.line(`let split = group / ${tilesN * tilesM * this.#sizes.batch};`);
    code.line(`let firstTerm = split * ${chunk};`);
    code.line(`let endTerm = min(firstTerm + ${chunk}, ${k});`);
    const vector = `vec4<${this.#type}>`;
    const a = this.#program.shared(vector, (tile.k * tile.m) / 4);
    const b = this.#program.shared(vector, (tile.k * tile.n) / 4);
    const [rowThreads, columnThreads] = [tile.m / tile.rows, tile.n / tile.columns];
    if (this.#rowsAreNeighbours()) {
      code.line(`let rowThread = lane % ${rowThreads};`);
      code.line(`let columnThread = lane / ${rowThreads};`);
    } else {
      code.line(`let columnThread = lane % ${columnThreads};`);
      code.line(`let rowThread = lane / ${columnThreads};`);
    }
    const sums = this.#sumNames();
    for (const name of sums.flat()) code.line(`var ${name} = ${vector}();`);
    code.block(`for (var step = firstTerm; step < endTerm; step += ${tile.k})`, () => {
      const writes = [this.#load('a', a), this.#load('b', b)];
      code.line('workgroupBarrier();');
      for (const write of writes) write();
      code.line('workgroupBarrier();');
      this.#multiply(a, b, sums);
    });
    this.#finish(sums);
    return this.#program.finish(groupsOf(this.#sizes, tile) * splits, [this.#threads, 1]);
  }

  /** By row of a thread's block, then by four columns. */
  #sumNames(): string[][] {
    const { rows, columns } = this.#tile;
    return Array.from({ length: rows }, (_, i) => Array.from({ length: columns / 4 }, (_, j) => `sum${i}_${j}`));
  }

  /** Evaluates a thread's share of an operand's tile; gives the writes to shared memory. */
  #load(side: Side, shared: string): () => void {
    const { code } = this.#program;
    const { tile, length, first, extent } = this.#sideOf(side);
    const units = (tile / 4) * this.#tile.k;
    const kIsFast = this.#kStep(side) === 1;
    const start = code.given(side === 'a' ? 'rowStart' : 'columnStart', 'i32');
    const lane = code.given('lane', 'i32');
    const { k } = this.#sizes;
    const isWhole = k % this.#tile.k === 0;
    const writes: (() => void)[] = [];
    for (let done = 0; done < units; done += this.#threads) {
      const unit = done === 0 ? lane : code.define(`lane + ${done}`, 'i32', [lane]);
      const [fast, slow] = kIsFast ? [this.#tile.k, tile / 4] : [tile / 4, this.#tile.k];
      const low = code.define(`${unit.text} % ${fast}`, 'i32', [unit]);
      const high = code.define(
        units < this.#threads ? `(${unit.text} / ${fast}) % ${slow}` : `${unit.text} / ${fast}`,
        'i32',
        [unit],
      );
      const [place, block] = kIsFast ? [low, high] : [high, low];
      const step = code.named('step', 'i32');
      const at = code.define(`step + ${place.text}`, 'i32', [step, place]);
      const inside = isWhole ? undefined : code.define(`${at.text} < ${k}`, 'bool', [at]);
      const term = isWhole ? at : code.define(`min(${at.text}, ${k - 1})`, 'i32', [at]);
      const values = [0, 1, 2, 3].map((i): string => {
        const offset = code.define(`${start.text} + ${block.text} * 4 + ${i}`, 'i32', [start, block]);
        const position =
          extent % tile === 0 ? offset : code.define(`min(${offset.text}, ${extent - 1})`, 'i32', [offset]);
        const value = this.#evaluate(side, { first, sizes: length, position, term });
        const counted = inside ? `select(${this.#type}(0), ${value.text}, ${inside.text})` : value.text;
        return counted;
      });
      const index = code.define(`${place.text} * ${tile / 4} + ${block.text}`, 'i32', [place, block]);
      writes.push(() => {
        const write = `${shared}[${index.text}] = vec4<${this.#type}>(${values.join(', ')});`;
        if (units < this.#threads) code.line(`if (lane < ${units}) { ${write} }`);
        else code.line(write);
      });
    }
    return () => {
      for (const write of writes) write();
    };
  }

  #sideOf(side: Side): { tile: number; extent: number; length: readonly number[]; first: number } {
    const { batch, m, n } = this.#kernel;
    return side === 'a'
      ? { tile: this.#tile.m, extent: this.#sizes.m, length: m, first: batch.length }
      : { tile: this.#tile.n, extent: this.#sizes.n, length: n, first: batch.length + m.length };
  }

  #evaluate(side: Side, at: { first: number; sizes: readonly number[]; position: Value; term: Value }): Value {
    const { batch, m, n, k } = this.#kernel;
    const indices = this.#indices();
    indices.bindDigits(at.first, at.sizes, at.position);
    indices.bindDigits(batch.length + m.length + n.length, k, at.term);
    return new Expressions(this.#program, indices).value(this.#kernel[side]);
  }

  #indices(): Indices {
    const { batch, m, n, k } = this.#kernel;
    const program = this.#program;
    const indices = program.indices([...batch, ...m, ...n, ...k]);
    indices.bindDigits(0, batch, program.code.given('batch', 'i32'));
    return indices;
  }

  /** Every column of `a` times every row of `b`, in the order of k. */
  #multiply(a: string, b: string, sums: readonly (readonly string[])[]): void {
    const { code } = this.#program;
    const { m, n, k, rows, columns } = this.#tile;
    const isFloat = this.#type === 'f32';
    code.block(`for (var depth = 0; depth < ${k}; depth++)`, () => {
      for (let i = 0; i < rows / 4; i++) {
        code.line(`let left${i} = ${a}[depth * ${m / 4} + ${i * (m / rows)} + rowThread];`);
      }
      for (let j = 0; j < columns / 4; j++) {
        code.line(`let right${j} = ${b}[depth * ${n / 4} + ${j * (n / columns)} + columnThread];`);
      }
      sums.forEach((line, i) => {
        line.forEach((sum, j) => {
          const left = `left${i >> 2}.${'xyzw'[i & 3]}`;
          const product = isFloat ? `${sum} + ${left} * right${j}` : `${sum} + ${left} * right${j}`;
          code.line(`${sum} = ${product};`);
        });
      });
    });
  }

  /** Stores each sum of a thread's block that is an output. */
  #finish(sums: readonly (readonly string[])[]): void {
    const { code } = this.#program;
    const { batch, m, n } = this.#sizes;
    const { rows, columns } = this.#tile;
    const tile = this.#tile;
    const flat = sums.flat();
    code.line(`var sums = array<vec4<${this.#type}>, ${flat.length}>(${flat.join(', ')});`);
    const walk = (
      limit: number,
      letter: string,
      count: number,
      text: (i: string) => string,
      body: (v: Value) => void,
    ) => {
      code.block(`for (var ${letter} = 0; ${letter} < ${count}; ${letter}++)`, () => {
        const position = code.now(text(letter), 'i32');
        if (limit < 0) body(position);
        else code.block(`if (${position.text} < ${limit})`, () => body(position));
      });
    };
    const rowText = (i: string) => `rowStart + (((${i} >> 2u) * ${tile.m / rows} + rowThread) << 2u) + (${i} & 3)`;
    const columnText = (j: string) =>
      `columnStart + (((${j} >> 2u) * ${tile.n / columns} + columnThread) << 2u) + (${j} & 3)`;
    walk(m % tile.m === 0 ? -1 : m, 'i', rows, rowText, (row) => {
      walk(n % tile.n === 0 ? -1 : n, 'j', columns, columnText, (column) => {
        const sum = code.now(`sums[i * ${columns / 4} + (j >> 2u)][j & 3]`, this.#type);
        if (this.#outcome.kind === 'partial') {
          const scratch = this.#program.scratch(0, true);
          const place = `((split * ${batch} + batch) * ${m} + ${row.text}) * ${n} + ${column.text}`;
          code.line(`${scratch}[${place}] = ${this.#program.bitsOf(sum)};`);
          return;
        }
        const indices = this.#indices();
        const sideM = this.#sideOf('a');
        const sideN = this.#sideOf('b');
        indices.bindDigits(sideM.first, sideM.length, row);
        indices.bindDigits(sideN.first, sideN.length, column);
        const expressions = new Expressions(this.#program, indices, { accumulator: () => sum });
        const writes = this.#kernel.stores.map((store) => expressions.prepareStore(store));
        for (const write of writes) write();
      });
    });
  }

  /** How far the last axis of k moves in an operand's main load. */
  #kStep(side: Side): number {
    const { batch, m, n, k } = this.#kernel;
    const index = mainLoad(this.#kernel[side]);
    return index === undefined ? 0 : stepOf(index, batch.length + m.length + n.length + k.length - 1);
  }

  /** Whether neighbouring rows, rather than columns, are neighbours where they are stored. */
  #rowsAreNeighbours(): boolean {
    const { batch, m, n, stores } = this.#kernel;
    const index = stores[0]?.index;
    if (index === undefined || this.#outcome.kind === 'partial') return false;
    return (
      stepOf(index, batch.length + m.length - 1) === 1 && stepOf(index, batch.length + m.length + n.length - 1) !== 1
    );
  }
}

function mainLoad(expr: Expr): Index | undefined {
  let index: Index | undefined;
  visitExprs([expr], (inner) => {
    if (inner.kind === 'load') index ??= inner.index;
    return undefined;
  });
  return index;
}
