import { planRow, type RowKernel } from '@evenkeel/tensor/kernel';
import { count } from './axes.ts';
import type { DeviceTraits } from './device-traits.ts';
import type { PrintedKernel } from './printed-kernel.ts';
import { rowModeOf } from './row-mode.ts';
import { RowPrinter } from './row-printer.ts';

/** A row kernel: one launch, or one for each pass and for what is stored once a row, where rows are few and long. */
export function printRow(kernel: RowKernel, traits: DeviceTraits): PrintedKernel {
  const mode = rowModeOf(kernel, traits);
  if (mode.kind !== 'split') return new RowPrinter(kernel, traits, mode).print();
  const { passes, rowStores } = planRow(kernel);
  const parts: ('rows' | number)[] = [...passes.keys(), ...(rowStores.length > 0 ? ['rows' as const] : [])];
  const launches = parts.map((part) => new RowPrinter(kernel, traits, mode).printPart(part));
  const reductions = kernel.stages.filter(({ kind }) => kind === 'reduce').length;
  const bytes = 4 * reductions * count(kernel.outer) * mode.chunks;
  return { launches, scratch: bytes > 0 ? [bytes] : [] };
}
