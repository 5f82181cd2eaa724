import type { DType } from '@evenkeel/tensor';
import type { RowKernel } from '@evenkeel/tensor/kernel';
import type { ArrayName, Launch } from './launch.ts';
import type { Computed } from './program.ts';
import { cutsOf } from './row-cuts.ts';
import { count, type OrderedStage, RowPrinter } from './row-printer.ts';

/**
 * A launch for each store, each reduction (its threads make one row each) and each scan (one element each). A reduction that
 * a single row store uses is made by the store's threads. Where rows are few and long, threads reduce parts of them first; a
 * scan takes up what the parts before an element came to.
 */
export function printRow(kernel: RowKernel): Launch[] {
  const { stages, operands, outer, inner } = kernel;
  const rows = count(outer);
  const elements = count(inner);
  const stores = stages.flatMap((stage) => (stage.kind === 'store' ? [stage] : []));
  const ordered = stages.flatMap((stage, i) => (stage.kind === 'reduce' || stage.kind === 'scan' ? [i] : []));
  const [only, ...others] = stores;
  const isFused = only?.domain === 'row' && others.length === 0 && ordered.length === 1;
  const reducesHere = isFused && stages[ordered[0] as number]?.kind === 'reduce';
  const cuts = cutsOf(kernel);
  const launches: Launch[] = [];
  const launch = (
    result: ArrayName,
    dtype: DType,
    length: number,
    print: (printer: RowPrinter) => Computed,
    reduces = false,
  ): void => {
    if (length === 0) return;
    const printer = new RowPrinter(kernel, cuts, dtype, reduces);
    launches.push(printer.program.finish(result, length, print(printer)));
  };
  for (const number of ordered) {
    const stage = stages[number] as OrderedStage;
    const { dtype } = stage.value;
    const cut = cuts.get(number);
    const temporary = (which: number): ArrayName => ({ kind: 'temporary', number: which });
    if (cut) {
      launch(temporary(cut.totals), cut.dtype, rows * cut.parts, (printer) => printer.totalOfPart(number, cut));
    }
    if (stage.kind === 'scan') {
      if (cut)
        launch(temporary(cut.before), cut.dtype, rows * cut.parts, (printer) => printer.totalBefore(number, cut));
      launch(temporary(number), dtype, rows * elements, (printer) => printer.scanOfThread(number));
    } else if (!reducesHere) launch(temporary(number), dtype, rows, (printer) => printer.reduceOfThread(number));
  }
  for (const { store, domain } of stores) {
    const dtype = operands[store.operand]?.dtype as DType;
    const length = rows * (domain === 'row' ? 1 : elements);
    launch({ kind: 'operand', number: store.operand }, dtype, length, (printer) => printer.store(store), reducesHere);
  }
  return launches;
}
