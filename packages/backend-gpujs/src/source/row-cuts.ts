import type { DType } from '@evenkeel/tensor';
import type { RowKernel } from '@evenkeel/tensor/kernel';

/** How a reduction or scan is cut into parts that threads work on at the same time. */
export interface Cut {
  readonly parts: number;
  /** Elements of a part; the last may have less. */
  readonly size: number;
  /** Of parts. */
  readonly dtype: DType;
  /** Number of the array that holds what each part of a row comes to. */
  readonly totals: number;
  /** Of a scan: of the array that holds what all parts before each come to. */
  readonly before: number;
}

const count = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** So many rows keep a card busy without. */
const MANY_ROWS = 1024;

/** Shorter rows are not worth a second launch. */
const LONG_REDUCTION = 1024;
const LONG_SCAN = 64;

/** The cuts of a kernel's stages, by number of the stage. They depend on shapes alone, as bits depend on them. */
export function cutsOf({ stages, outer, inner }: RowKernel): ReadonlyMap<number, Cut> {
  const [rows, elements] = [count(outer), count(inner)];
  const cuts = new Map<number, Cut>();
  stages.forEach((stage, number) => {
    if (stage.kind !== 'reduce' && stage.kind !== 'scan') return;
    const isScan = stage.kind === 'scan';
    if (isScan ? elements < LONG_SCAN : rows >= MANY_ROWS || elements < LONG_REDUCTION) return;
    // As many parts as elements of one; of a scan, whose elements each go through a part, the square of it.
    const size = 2 ** Math.round(Math.log2(elements) / (isScan ? 3 : 2));
    const dtype = stage.value.dtype === 'float16' ? 'float32' : stage.value.dtype;
    const totals = stages.length + 2 * number;
    cuts.set(number, { parts: Math.ceil(elements / size), size, dtype, totals, before: totals + 1 });
  });
  return cuts;
}
