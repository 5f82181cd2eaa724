import { readFile } from 'node:fs/promises';
import { writeFileAtomically } from '@evenkeel/formats/node';
import type { Machine } from './machine.ts';
import type { Unit } from './work/work.ts';

/** A figure. */
export interface Result {
  readonly work: string;
  readonly implementation: string;
  readonly threads: number;
  readonly unit: Unit;
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  /** Runs that were measured. */
  readonly samples: number;
  /** A choice of the implementation, such as a memory format. */
  readonly note?: string;
  /** The graphics card, as its driver names it, for what runs on one. */
  readonly device?: string;
  /** The figure by the device's own clock: kernels alone, without what is around them. */
  readonly byDevice?: number;
}

/** What `--json` writes. */
export interface ResultFile {
  readonly machine: Machine;
  readonly results: readonly Result[];
  /** What was called to make them, latest last; machine-specific paths left out. */
  readonly commands: readonly string[];
}

/**
 * Writes figures, in place of those that the file has of the same works on as many threads; others stay. `order` is that
 * of the works; a work's are by thread count.
 */
export async function writeResults(
  file: string,
  { machine, results, commands }: ResultFile,
  order: readonly string[],
): Promise<ResultFile> {
  const earlier = await readResults(file);
  const keyOf = ({ work, threads }: Result): string => `${work} ${threads}`;
  const measured = new Set(results.map(keyOf));
  const merged = {
    commands: [...new Set([...(earlier?.commands ?? []), ...commands])],
    machine: { ...machine, implementations: { ...earlier?.machine.implementations, ...machine.implementations } },
    results: [...(earlier?.results ?? []).filter((result) => !measured.has(keyOf(result))), ...results].sort(
      (a, b) => order.indexOf(a.work) - order.indexOf(b.work) || a.threads - b.threads,
    ),
  };
  await writeFileAtomically(file, `${JSON.stringify(merged, null, 2)}\n`);
  return merged;
}

/** The figures of a file, if there is one. */
export async function readResults(file: string): Promise<ResultFile | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ResultFile;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`${file}: ${(error as Error).message}. Give another file`);
  }
}
