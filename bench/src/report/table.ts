import pc from 'picocolors';
import type { Absence } from '../measure/measure-work.ts';
import type { Result } from '../results.ts';
import { ratioOf, show } from './ratio.ts';

/** What one work gave, as lines for a terminal: each figure with its spread and how it compares with ours. */
export function workTable(work: string, results: readonly Result[], absences: readonly Absence[]): string {
  const lines = [pc.bold(work)];
  const width = Math.max(20, ...[...results, ...absences].map(({ implementation }) => implementation.length));
  for (const threads of [...new Set(results.map((result) => result.threads))].sort((a, b) => a - b)) {
    const group = results.filter((result) => result.threads === threads);
    const ours =
      group.find(({ implementation }) => implementation === 'evenkeel') ??
      group.find(({ implementation }) => implementation.startsWith('evenkeel'));
    for (const result of group) {
      const { implementation, unit, median, p10, p90 } = result;
      const byDevice = result.byDevice === undefined ? undefined : `${show(result.byDevice)} by the device's clock`;
      const notes = [byDevice, result.note].filter((note) => note !== undefined).map((note) => pc.dim(`  ${note}`));
      const ratio =
        ours === undefined || result === ours ? '' : `  ${ours.implementation} is ${ratioOf(ours, result).toFixed(2)}x`;
      lines.push(
        `  ${implementation.padEnd(width)} ${threads}t  ${show(median).padStart(8)} ${unit.padEnd(8)} ${pc.dim(`${show(p10)} to ${show(p90)}`.padEnd(18))}${ratio}${notes.join('')}`,
      );
    }
  }
  for (const { implementation, threads, reason, isError } of absences) {
    const line = `  ${implementation.padEnd(width)} ${threads}t  ${isError ? 'ERROR ' : 'no: '}${reason}`;
    lines.push(isError ? pc.red(line) : pc.dim(line));
  }
  return lines.join('\n');
}
