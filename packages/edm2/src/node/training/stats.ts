import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { appendToFile } from './append-to-file.ts';

/**
 * Samples by name since the last status, and their means. What is not finite is left out of a mean; a mean of nothing is NaN.
 *
 * @example
 * ```ts
 * const stats = new StatsCollector();
 * for (const loss of [1, Number.NaN, 2]) stats.add('Loss/loss', loss);
 * stats.take(); // { 'Loss/loss': 1.5 }
 * stats.take(); // { 'Loss/loss': NaN }
 * ```
 */
export class StatsCollector {
  readonly #sums = new Map<string, { sum: number; count: number }>();

  add(name: string, value: number): void {
    const entry = this.#sums.get(name) ?? { sum: 0, count: 0 };
    this.#sums.set(name, entry);
    if (!Number.isFinite(value)) return;
    entry.sum += value;
    entry.count++;
  }

  /** The means, in the order in which names first came; begins anew. */
  take(): Record<string, number> {
    const means = [...this.#sums].map(([name, { sum, count }]) => [name, count === 0 ? Number.NaN : sum / count]);
    for (const entry of this.#sums.values()) Object.assign(entry, { sum: 0, count: 0 });
    return Object.fromEntries(means) as Record<string, number>;
  }
}

const fileName = 'stats.jsonl';

/** Appends one line. JSON has no NaN: it becomes null. */
export async function appendStats(folder: string, values: Readonly<Record<string, number>>): Promise<void> {
  await appendToFile(join(folder, fileName), `${JSON.stringify(values)}\n`);
}

/**
 * Removes from a run's `stats.jsonl` what lies beyond `images`, the point where the run goes on, and a line that was cut off
 * in the middle: the run writes those lines again.
 */
export async function keepStatsUpTo(folder: string, images: number): Promise<void> {
  const path = join(folder, fileName);
  const text = await readFile(path, 'utf8').catch(() => '');
  const kept = text.split('\n').filter((line) => {
    const kimg = kimgOf(line);
    return kimg !== undefined && kimg * 1000 <= images + 0.5;
  });
  const wanted = kept.map((line) => `${line}\n`).join('');
  if (wanted !== text) await writeFileAtomically(path, wanted);
}

function kimgOf(line: string): number | undefined {
  try {
    return (JSON.parse(line) as Record<string, number>)['Progress/kimg'];
  } catch {
    return undefined;
  }
}
