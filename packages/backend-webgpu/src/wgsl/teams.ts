import type { RowMode } from './row-mode.ts';

/** Where several rows share a workgroup: which of them is a thread's, and which of that row's threads it is. */
export interface Teams {
  readonly rows: number;
  readonly row: string;
  readonly part: string;
}

export function teamsOf(mode: RowMode): Teams | undefined {
  if (mode.kind === 'band') return { rows: mode.rows, row: `lane % ${mode.rows}`, part: `lane / ${mode.rows}` };
  if (mode.kind !== 'team') return undefined;
  const each = mode.threads / mode.rows;
  return { rows: mode.rows, row: `lane / ${each}`, part: `lane % ${each}` };
}
