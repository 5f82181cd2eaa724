import type { Mismatch } from './compare.ts';
import type { CaseResult } from './run.ts';

/** A line for each failing tensor: case, tensor, largest deviation, tolerance. */
export function failureLines({ id, mismatches }: CaseResult): string[] {
  return mismatches.map((mismatch) => `FAIL ${id} ${describeMismatch(mismatch)}`);
}

function describeMismatch({ tensor, deviation, tolerance, reason }: Mismatch): string {
  if (reason !== undefined) return tensor === '' ? reason : `${tensor} ${reason}`;
  return `${tensor} deviates by ${digits(deviation)}, tolerance ${digits(tolerance)}`;
}

function digits(value: number | undefined): string {
  return value === undefined ? '-' : value.toPrecision(3);
}

/** A line for each kind, below a heading. `worst` is the largest deviation as a share of its tolerance. */
export function tableLines(results: readonly CaseResult[]): string[] {
  const kinds = [...new Set(results.map(({ kind }) => kind))];
  const rows = kinds.map((kind) => {
    const own = results.filter((result) => result.kind === kind);
    const failed = own.filter(({ mismatches }) => mismatches.length > 0).length;
    const tensors = own.reduce((sum, result) => sum + result.tensors, 0);
    const worst = own.reduce((largest, result) => (result.worst <= largest ? largest : result.worst), 0);
    const seconds = own.reduce((sum, result) => sum + result.seconds, 0).toFixed(1);
    return [kind, own.length - failed, failed, tensors, Number.isNaN(worst) ? '-' : worst.toFixed(2), seconds].map(
      String,
    );
  });
  const table = [['kind', 'passed', 'failed', 'tensors', 'worst', 'seconds'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  );
}

/** How many cases passed and failed. */
export function totals(results: readonly CaseResult[]): { passed: number; failed: number } {
  const failed = results.filter(({ mismatches }) => mismatches.length > 0).length;
  return { passed: results.length - failed, failed };
}
