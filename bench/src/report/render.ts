import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { fileNameOf } from '../gpu/adapter.ts';
import { type ResultFile, readResults } from '../results.ts';
import { speedChart } from './chart.ts';
import { withFigures, withGpuFigures } from './performance-page.ts';

/** The figures that the documentation shows: of processors, or of a graphics card. */
export function figuresFile(bench: string, device?: string): string {
  return join(bench, 'results', device === undefined ? 'figures.json' : `gpu-${fileNameOf(device)}.json`);
}

/** Writes docs/performance.md and its chart from the recorded figures, those of each graphics card too. */
export async function render(bench: string): Promise<void> {
  const figures = await readResults(figuresFile(bench));
  if (figures === undefined) throw new Error('bench: no figures are recorded yet. Use --record');
  const docs = join(bench, '..', 'docs');
  const page = join(docs, 'performance.md');
  const names = (await readdir(join(bench, 'results'))).filter((name) => /^gpu-.*\.json$/.test(name)).sort();
  const devices = await Promise.all(
    names.map((name) => readResults(join(bench, 'results', name)) as Promise<ResultFile>),
  );
  const written = withGpuFigures(withFigures(await readFile(page, 'utf8'), figures), devices);
  await writeFileAtomically(page, written);
  await mkdir(join(docs, 'images'), { recursive: true });
  await writeFileAtomically(
    join(docs, 'images', 'performance.svg'),
    speedChart(figures.results, 'Speed beside PyTorch on the CPU'),
  );
}
