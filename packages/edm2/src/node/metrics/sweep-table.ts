import { readFile } from 'node:fs/promises';
import { writeFileAtomically } from '@evenkeel/formats/node';
import type { EmaSweepRow } from '../../metrics/ema-sweep.ts';

/** What a table of a sweep was made with: rows of other settings may not stand in it. */
export type SweepSettings = Readonly<Record<string, string | number | readonly string[]>>;

/** Lengths and what was measured, in a CSV file: the settings in a first line with `#`, a row each length. */
export class SweepTable {
  readonly #path: string;
  readonly #settings: SweepSettings;
  readonly #rows: EmaSweepRow[];

  private constructor(path: string, settings: SweepSettings, rows: EmaSweepRow[]) {
    this.#path = path;
    this.#settings = settings;
    this.#rows = rows;
  }

  /**
   * Opens a table, or begins one.
   *
   * @throws Error, one line, when the file there is no such table, or one of other settings.
   */
  static async open(path: string, settings: SweepSettings): Promise<SweepTable> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new Error(`${path}: cannot be read (${error.message})`, { cause: error });
    });
    if (text === undefined) return new SweepTable(path, settings, []);
    const [first = '', header = '', ...lines] = text.trimEnd().split('\n');
    if (!first.startsWith('# ') || !header.startsWith('std,'))
      throw new Error(`${path}: is no table of a sweep. Give another file`);
    const other = differences(first.slice(2), settings, path);
    if (other.length > 0) throw new Error(`${path}: is of a sweep with ${other.join(', ')}. Give another file`);
    const names = header.split(',').slice(1, -1);
    const rows = lines.map((line): EmaSweepRow => {
      const [std, ...cells] = line.split(',');
      const share = cells.at(-1) as string;
      return {
        std: Number(std),
        values: names.map((metric, i) => ({ metric, value: Number(cells[i]) })),
        agreement: share === '' ? undefined : Number(share),
      };
    });
    return new SweepTable(path, settings, rows);
  }

  /** By length, the shortest first. */
  get rows(): readonly EmaSweepRow[] {
    return this.#rows;
  }

  has(std: number): boolean {
    return this.#rows.some((row) => row.std === std);
  }

  /** Puts a row in its place, and writes the file. */
  async add(row: EmaSweepRow): Promise<void> {
    this.#rows.push(row);
    this.#rows.sort((a, b) => a.std - b.std);
    const names = row.values.map(({ metric }) => metric);
    const lines = this.#rows.map(({ std, values, agreement }) => {
      return [std, ...values.map(({ value }) => value), agreement ?? ''].join(',');
    });
    const text = [`# ${JSON.stringify(this.#settings)}`, ['std', ...names, 'agreement'].join(','), ...lines].join('\n');
    await writeFileAtomically(this.#path, `${text}\n`);
  }
}

/** `num 20, not 1000` of each setting that is not the same. */
function differences(json: string, settings: SweepSettings, path: string): string[] {
  let there: Readonly<Record<string, unknown>>;
  try {
    there = JSON.parse(json) as typeof there;
  } catch (error) {
    throw new Error(`${path}: is no table of a sweep. Give another file`, { cause: error });
  }
  const names = [...new Set([...Object.keys(there), ...Object.keys(settings)])];
  const shown = (value: unknown): string => JSON.stringify(value) ?? 'none';
  return names.flatMap((name) => {
    const [before, now] = [shown(there[name]), shown(settings[name])];
    return before === now ? [] : [`${name} ${before}, not ${now}`];
  });
}
