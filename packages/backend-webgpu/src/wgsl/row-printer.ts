import type { DType } from '@evenkeel/tensor';
import {
  type Expr,
  type Pass,
  planRow,
  type RowKernel,
  type RowPlan,
  type Stage,
  type Store,
  visitExprs,
} from '@evenkeel/tensor/kernel';
import { count, writtenOperands } from './axes.ts';
import type { Value } from './code.ts';
import type { DeviceTraits } from './device-traits.ts';
import { combine, identityOf } from './expressions.ts';
import { laneAxesOf } from './lane-axes.ts';
import { Lanes } from './lanes.ts';
import type { Launch, PrintedKernel } from './printed-kernel.ts';
import { Program, wgslTypes } from './program.ts';
import type { RowMode } from './row-mode.ts';
import { type Teams, teamsOf } from './teams.ts';
import { printScan, reduceInBand, reduceInGroup, reduceInTeams } from './workgroup.ts';

const dtypeOf = (stage: Stage): DType => (stage as Extract<Stage, { kind: 'map' }>).value.dtype;

/** Prints the launches of a row kernel. */
export class RowPrinter {
  readonly #kernel: RowKernel;
  readonly #mode: RowMode;
  readonly #teams: Teams | undefined;
  readonly #plan: RowPlan;
  readonly #program: Program;
  readonly #lanes: Lanes;
  /** What threads take: rows, or fours of neighbouring rows; and within a row elements, or fours of them. */
  readonly #rows: number;
  readonly #elements: number;
  /** Scans whose values a later pass reads from memory; maps are computed again. */
  readonly #kept: readonly number[];
  /** Finished reductions. */
  readonly #reduced = new Map<number, Value>();
  /** Scans that this pass has computed at the current element. */
  readonly #here = new Map<number, Value>();
  #row: Value;
  #element: Value | undefined;

  constructor(kernel: RowKernel, traits: DeviceTraits, mode: RowMode) {
    this.#kernel = kernel;
    this.#mode = mode;
    this.#teams = teamsOf(mode);
    this.#plan = planRow(kernel);
    this.#program = new Program(kernel, writtenOperands(kernel.operands), traits);
    const program = this.#program;
    const { outer, inner, stages } = kernel;
    const along = laneAxesOf(kernel, mode, traits);
    this.#lanes = new Lanes(program, [...outer, ...inner], along, (lane) => ({
      stage: (stage) => this.#stage(stage, lane),
    }));
    const stores = stages.flatMap((stage) => (stage.kind === 'store' ? [stage.store] : []));
    const values = stages.flatMap((stage) => (stage.kind === 'store' ? [] : [stage.value]));
    program.bindFours(this.#lanes.foursOf(values, stores));
    this.#rows = count(outer) / (along && inner.length === 0 ? 4 : 1);
    this.#elements = count(inner) / (along && inner.length > 0 ? 4 : 1);
    this.#kept = [...this.#plan.kept].filter((stage) => kernel.stages[stage]?.kind === 'scan');
    this.#row = program.code.given('row', 'i32');
  }

  print(): PrintedKernel {
    const { code } = this.#program;
    const { threads } = this.#mode;
    const { kind } = this.#mode;
    const teams = this.#teams;
    if (teams) {
      const row = `group * ${teams.rows} + ${teams.row}`;
      code.line(`let row = min(${row}, ${this.#rows - 1});`);
      if (this.#hasRest) code.line(`let isRow = ${row} < ${this.#rows};`);
    } else if (kind === 'group') {
      code.line('let row = group;');
    } else {
      code.line(`let row = group * ${threads} + lane;`);
      if (this.#rows % threads !== 0) code.line(`if (row >= ${this.#rows}) { return; }`);
    }
    this.#lanes.bindDigits(0, this.#kernel.outer, this.#row);
    for (const pass of this.#plan.passes) {
      if (kind === 'thread') this.#serialPass(pass);
      else if (teams) this.#sharedPass(pass, { first: teams.part, end: `${this.#elements}` });
      else if (pass.sinks.some((sink) => this.#kernel.stages[sink]?.kind === 'scan')) this.#scanningPass(pass);
      else this.#sharedPass(pass);
    }
    this.#rowStores();
    const groups = Math.ceil(this.#rows / (teams?.rows ?? (kind === 'group' ? 1 : threads)));
    const bytes = 4 * Math.max(1, this.#rows * this.#elements) * this.#kept.length;
    return { launches: [this.#program.finish(groups, [threads, 1])], scratch: bytes > 0 ? [bytes] : [] };
  }

  /** One pass of a row that several workgroups share, or what is stored once a row after all of them. */
  printPart(part: number | 'rows'): Launch {
    const { code } = this.#program;
    const { threads, chunks } = this.#mode as Extract<RowMode, { kind: 'split' }>;
    const { stages, outer } = this.#kernel;
    const length = (this.#mode as Extract<RowMode, { kind: 'split' }>).length / this.#lanes.count;
    const groupsOfRow = part === 'rows' ? 1 : chunks;
    code.line(`let row = group / ${groupsOfRow};`);
    code.line(`let chunk = group % ${groupsOfRow};`);
    this.#lanes.bindDigits(0, outer, this.#row);
    const { passes, rowStores } = this.#plan;
    const pass = part === 'rows' ? undefined : (passes[part] as Pass);
    const wanted = pass
      ? pass.sinks.map((sink) => stages[sink] as Stage)
      : rowStores.map((store): Stage => ({ kind: 'store', domain: 'row', store }));
    for (const reduction of this.#reductionsIn(wanted)) {
      const total = code.name('total');
      const place = this.#partial(reduction, 'lane');
      const word = `${this.#program.scratch(0, true)}[${place}]`;
      const { op, value } = stages[reduction] as Extract<Stage, { kind: 'reduce' }>;
      code.line(`var ${total} = ${identityOf(this.#program, op, value.dtype).text};`);
      const read = this.#program.fromBits(word, wgslTypes[value.dtype]);
      code.block(`if (lane < ${chunks})`, () => code.line(`${total} = ${read};`));
      this.#reduced.set(reduction, this.#reduceInGroup(reduction, new Map([[reduction, total]])));
    }
    if (!pass) this.#rowStores();
    else {
      code.line(`let firstElement = chunk * ${length};`);
      code.line(`let endElement = min(firstElement + ${length}, ${this.#elements});`);
      this.#sharedPass(pass, { first: 'firstElement + lane', end: 'endElement' });
      const made = pass.sinks.filter((sink) => stages[sink]?.kind === 'reduce');
      const bits = made.map((sink) => this.#program.bitsOf(this.#reduced.get(sink) as Value));
      if (made.length > 0) {
        code.block('if (lane == 0)', () => {
          made.forEach((sink, i) => {
            code.line(`${this.#program.scratch(0, true)}[${this.#partial(sink, 'chunk')}] = ${bits[i]};`);
          });
        });
      }
    }
    return this.#program.finish(this.#rows * groupsOfRow, [threads, 1]);
  }

  /** Where the part of a reduction that a chunk made lies. */
  #partial(reduction: number, chunk: string): string {
    const { chunks } = this.#mode as Extract<RowMode, { kind: 'split' }>;
    const before = this.#kernel.stages.slice(0, reduction).filter(({ kind }) => kind === 'reduce').length;
    return `(${before * this.#rows} + row) * ${chunks} + ${chunk}`;
  }

  /** Reductions that stages use, also through maps. */
  #reductionsIn(wanted: readonly Stage[]): number[] {
    const found = new Set<number>();
    const exprOf = (stage: Stage): Expr => (stage.kind === 'store' ? stage.store.value : stage.value);
    visitExprs(wanted.map(exprOf), (expr) => {
      if (expr.kind !== 'stage') return undefined;
      const stage = this.#kernel.stages[expr.stage] as Stage;
      if (stage.kind !== 'reduce') return [exprOf(stage)];
      found.add(expr.stage);
      return undefined;
    });
    return [...found].sort((a, b) => a - b);
  }

  /** One thread walks the row. */
  #serialPass(pass: Pass): void {
    const { code } = this.#program;
    const totals = this.#totals(pass);
    const turn = code.name('e');
    code.block(`for (var ${turn} = 0; ${turn} < ${this.#elements}; ${turn}++)`, () => {
      const walked = code.named(turn, 'i32');
      const element = pass.reverse ? code.define(`${this.#elements - 1} - ${turn}`, 'i32', [walked]) : walked;
      this.#atElement(element, () => {
        const writes: (() => void)[] = [];
        for (const sink of pass.sinks) {
          const stage = this.#kernel.stages[sink] as Stage;
          if (stage.kind === 'store') writes.push(this.#lanes.prepareStore(stage.store));
          if (stage.kind !== 'reduce' && stage.kind !== 'scan') continue;
          const total = totals.get(sink) as string;
          const value = this.#lanes.value(stage.value, 0);
          code.line(`${total} = ${combine(this.#program, stage.op, stage.value.dtype, total, value.text)};`);
          if (stage.kind === 'scan') writes.push(...this.#scanned(sink, code.now(total, wgslTypes[dtypeOf(stage)])));
        }
        for (const write of writes) write();
      });
    });
    this.#finishReductions(pass, (sink) => code.named(totals.get(sink) as string, wgslTypes[this.#dtype(sink)]));
  }

  /** The threads of a workgroup take elements in turn: all of the row, or those of a chunk. */
  #sharedPass(pass: Pass, { first, end } = { first: 'lane', end: `${this.#elements}` }): void {
    const { code } = this.#program;
    const totals = this.#totals(pass);
    const turn = code.name('e');
    const by = this.#mode.threads / (this.#teams?.rows ?? 1);
    code.block(`for (var ${turn} = ${first}; ${turn} < ${end}; ${turn} += ${by})`, () => {
      this.#atElement(code.named(turn, 'i32'), () => {
        const writes: (() => void)[] = [];
        for (const sink of pass.sinks) {
          const stage = this.#kernel.stages[sink] as Stage;
          if (stage.kind === 'store') writes.push(this.#lanes.prepareStore(stage.store));
          if (stage.kind !== 'reduce') continue;
          for (const value of this.#lanes.values(stage.value)) this.#add(sink, totals, value.text);
        }
        if (writes.length > 0) this.#ifRow(writes);
      });
    });
    this.#finishReductions(pass, (sink) => this.#reduceInGroup(sink, totals));
  }

  /** Whether the last workgroup has fewer rows than the others. */
  get #hasRest(): boolean {
    const { rows = 1 } = this.#teams ?? {};
    return this.#rows % rows !== 0;
  }

  /** Writes, unless the row is none. */
  #ifRow(writes: readonly (() => void)[]): void {
    const write = (): void => {
      for (const one of writes) one();
    };
    if (this.#hasRest) this.#program.code.block('if (isRow)', write);
    else write();
  }

  /** The threads of a workgroup take neighbouring elements, as many as they are at a time. */
  #scanningPass(pass: Pass): void {
    const { code } = this.#program;
    const { threads } = this.#mode;
    const totals = this.#totals(pass);
    const last = this.#elements - 1;
    const base = code.name('base');
    code.block(`for (var ${base} = 0; ${base} <= ${last}; ${base} += ${threads})`, () => {
      const inside = code.now(`${base} + lane <= ${last}`, 'bool');
      const walked = code.now(`min(${base} + lane, ${last})`, 'i32');
      const element = pass.reverse ? code.now(`${last} - ${walked.text}`, 'i32') : walked;
      this.#atElement(element, () => {
        const writes: (() => void)[] = [];
        for (const sink of pass.sinks) {
          const stage = this.#kernel.stages[sink] as Stage;
          if (stage.kind === 'store') writes.push(this.#lanes.prepareStore(stage.store));
          if (stage.kind !== 'reduce' && stage.kind !== 'scan') continue;
          const { dtype } = stage.value;
          const identity = identityOf(this.#program, stage.op, dtype);
          const value = this.#lanes.value(stage.value, 0);
          const counted = code.now(`select(${identity.text}, ${value.text}, ${inside.text})`, value.type);
          if (stage.kind === 'reduce') {
            this.#add(sink, totals, counted.text);
            continue;
          }
          const total = totals.get(sink) as string;
          const join = (a: string, b: string) => combine(this.#program, stage.op, dtype, a, b);
          writes.push(...this.#scanned(sink, printScan(this.#program, { threads, value: counted, total, join })));
        }
        code.block(`if (${inside.text})`, () => {
          for (const write of writes) write();
        });
      });
    });
    // What other threads kept, later passes read.
    if (pass.sinks.some((sink) => this.#kept.includes(sink))) code.line('storageBarrier();');
    this.#finishReductions(pass, (sink) => this.#reduceInGroup(sink, totals));
  }

  /** Variables for the reductions and scans of a pass. */
  #totals({ sinks }: Pass): Map<number, string> {
    const { code } = this.#program;
    const totals = new Map<number, string>();
    for (const sink of sinks) {
      const stage = this.#kernel.stages[sink] as Stage;
      if (stage.kind !== 'reduce' && stage.kind !== 'scan') continue;
      const name = code.name('total');
      code.line(`var ${name} = ${identityOf(this.#program, stage.op, stage.value.dtype).text};`);
      totals.set(sink, name);
    }
    this.#lanes.forget();
    return totals;
  }

  #add(sink: number, totals: ReadonlyMap<number, string>, value: string): void {
    const stage = this.#kernel.stages[sink] as Extract<Stage, { kind: 'reduce' }>;
    const total = totals.get(sink) as string;
    this.#program.code.line(`${total} = ${combine(this.#program, stage.op, stage.value.dtype, total, value)};`);
  }

  #atElement(element: Value, body: () => void): void {
    const { outer, inner } = this.#kernel;
    this.#here.clear();
    this.#element = element;
    this.#lanes.bindDigits(outer.length, inner, element);
    body();
    this.#element = undefined;
    this.#here.clear();
    this.#lanes.forget();
  }

  #finishReductions({ sinks }: Pass, total: (sink: number) => Value): void {
    for (const sink of sinks) if (this.#kernel.stages[sink]?.kind === 'reduce') this.#reduced.set(sink, total(sink));
  }

  #reduceInGroup(sink: number, totals: ReadonlyMap<number, string>): Value {
    const stage = this.#kernel.stages[sink] as Extract<Stage, { kind: 'reduce' }>;
    const { dtype } = stage.value;
    const { kind, threads } = this.#mode;
    const rows = this.#teams?.rows ?? 1;
    return (kind === 'band' ? reduceInBand : kind === 'team' ? reduceInTeams : reduceInGroup)(this.#program, {
      threads,
      rows,
      type: wgslTypes[dtype],
      total: totals.get(sink) as string,
      join: (a, b) => combine(this.#program, stage.op, dtype, a, b),
    });
  }

  /** Notes a scan's value at the current element; gives the writes that keep it for later passes. */
  #scanned(sink: number, value: Value): (() => void)[] {
    this.#here.set(sink, value);
    if (!this.#kept.includes(sink)) return [];
    const place = this.#place(sink);
    return [
      () => this.#program.code.line(`${this.#program.scratch(0, true)}[${place}] = ${this.#program.bitsOf(value)};`),
    ];
  }

  /** Where a kept scan's value of the current element lies. */
  #place(sink: number): string {
    const { code } = this.#program;
    const element = this.#element as Value;
    const first = this.#kept.indexOf(sink) * this.#rows * this.#elements;
    const start = code.define(`row * ${this.#elements} + ${first}`, 'i32', [this.#row]);
    return code.define(`${start.text} + ${element.text}`, 'i32', [start, element]).text;
  }

  #rowStores(): void {
    const { code } = this.#program;
    const stores: readonly Store[] = this.#plan.rowStores;
    if (stores.length === 0) return;
    const prepared = stores.map((store) => this.#lanes.prepareStore(store));
    const write = (): void => this.#ifRow(prepared);
    if (this.#mode.kind === 'thread') {
      write();
      return;
    }
    // What is overwritten in place has been read by all.
    code.line('storageBarrier();');
    code.block(`if (${this.#teams?.part ?? 'lane'} == 0)`, write);
  }

  #dtype(stage: number): DType {
    return dtypeOf(this.#kernel.stages[stage] as Stage);
  }

  #stage(number: number, lane: number): Value {
    const known = this.#reduced.get(number) ?? this.#here.get(number);
    if (known) return known;
    const stage = this.#kernel.stages[number] as Stage;
    if (!this.#kept.includes(number)) return this.#lanes.value((stage as { value: Store['value'] }).value, lane);
    const type = wgslTypes[dtypeOf(stage)];
    const word = `${this.#program.scratch(0, true)}[${this.#place(number)}]`;
    return this.#program.code.now(this.#program.fromBits(word, type), type);
  }
}
