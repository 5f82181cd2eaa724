import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { fileNameOf } from '../gpu/adapter.ts';
import { readResults } from '../results.ts';
import { speedChart } from './chart.ts';
import { withFigures } from './performance-page.ts';

/** The figures that the documentation shows: of processors, or of a graphics card. */
export function figuresFile(bench: string, device?: string): string {
  return join(bench, 'results', device === undefined ? 'figures.json' : `gpu-${fileNameOf(device)}.json`);
}

/** Writes docs/performance.md and its chart from the recorded figures. */
export async function render(bench: string): Promise<void> {
  const figures = await readResults(figuresFile(bench));
  if (figures === undefined) throw new Error('bench: no figures are recorded yet. Use --record');
  const docs = join(bench, '..', 'docs');
  const page = join(docs, 'performance.md');
  await writeFileAtomically(page, withFigures(await readFile(page, 'utf8'), figures));
  await mkdir(join(docs, 'images'), { recursive: true });
  await writeFileAtomically(
    join(docs, 'images', 'performance.svg'),
    speedChart(figures.results, 'Speed beside PyTorch on the CPU'),
  );
}
