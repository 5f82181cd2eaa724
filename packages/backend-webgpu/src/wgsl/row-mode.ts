import { type Expr, type Index, type RowKernel, visitExprs } from '@evenkeel/tensor/kernel';
import type { DeviceTraits } from './device-traits.ts';
import { stepOf } from './steps.ts';

/** How rows are given to threads. */
export type RowMode = {
  /** Threads of a workgroup. */
  readonly threads: number;
} & (
  | {
      /** `thread`: each thread makes rows alone. `group`: a workgroup shares a row. */
      readonly kind: 'thread' | 'group';
    }
  /**
   * A workgroup shares `rows` rows, each has `threads / rows` threads. `band`: rows are neighbours in memory, so neighbouring
   * threads have neighbouring rows. `team`: rows are short, neighbouring threads share one.
   */
  | { readonly kind: 'band' | 'team'; readonly rows: number }
  /** Several workgroups share a row, each has `length` elements; every pass is a launch. */
  | { readonly kind: 'split'; readonly chunks: number; readonly length: number }
);

/** Workgroups that keep a card busy, and elements that each has at least. */
const BUSY = 512;
const CHUNK_AT_LEAST = 2048;

/** Elements of a row that a thread takes where there are enough: four times four of them. */
const EACH = 16;
/** Rows up to here are too short to share, and up to there for all threads of a workgroup. */
const SHORT = 32;
const SHORT_OF_GROUP = 512;
const TEAMS = 128;
/** From so many rows on, threads that take one each keep a device busy. */
const MANY = 2 ** 18;
/** Neighbouring rows of a band: what memory reads at a time. */
const BAND = 32;
/** Where bands are fewer, and rows long, more threads are worth more than neighbours. */
const MANY_BANDS = 256;

export function rowModeOf(kernel: RowKernel, { workgroupThreads }: DeviceTraits): RowMode {
  const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);
  const [rows, elements] = [product(kernel.outer), product(kernel.inner)];
  const hasScan = kernel.stages.some(({ kind }) => kind === 'scan');
  const areNeighbours = rows >= BAND && isContiguousInRows(kernel);
  const isAlone = elements <= SHORT || (areNeighbours && (rows >= MANY || hasScan));
  if (isAlone) return { kind: 'thread', threads: Math.min(elements === 1 ? 256 : 64, workgroupThreads) };
  if (areNeighbours && (elements <= CHUNK_AT_LEAST || rows >= MANY_BANDS * BAND)) {
    return { kind: 'band', rows: BAND, threads: Math.min(elements < 64 ? 128 : 256, workgroupThreads) };
  }
  const each = 2 ** Math.ceil(Math.log2(elements / EACH));
  if (elements <= SHORT_OF_GROUP && !hasScan) return { kind: 'team', rows: TEAMS / each, threads: TEAMS };
  const threads = Math.min(Math.max(64, each), 256, workgroupThreads);
  const wanted = Math.min(Math.floor(BUSY / rows), Math.floor(elements / CHUNK_AT_LEAST), threads);
  if (wanted < 2 || hasScan) return { kind: 'group', threads };
  const length = Math.ceil(elements / wanted / threads) * threads;
  return { kind: 'split', threads, length, chunks: Math.ceil(elements / length) };
}

/** Whether neighbouring rows, rather than neighbouring elements, are neighbours in memory, as when first axes are summed. */
function isContiguousInRows({ outer, inner, stages }: RowKernel): boolean {
  let main: Index | undefined;
  const values = stages.map((stage): Expr => (stage.kind === 'store' ? stage.store.value : stage.value));
  visitExprs(values, (expr) => {
    if (expr.kind === 'load') main ??= expr.index;
    return undefined;
  });
  if (main === undefined) return false;
  const rowStep = stepOf(main, outer.length - 1);
  const elementStep = stepOf(main, outer.length + inner.length - 1);
  return rowStep === 1 && elementStep !== 1;
}
