import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Candidate, Places } from '../implementations.ts';
import { ImplementationProcess, lastWords } from '../process/implementation-process.ts';
import type { Result } from '../results.ts';
import type { ProcessWork } from '../work/process-works.ts';
import type { InputFile } from '../work/task.ts';
import type { Work } from '../work/work.ts';
import { type Measured, writeInputs } from './measure-work.ts';
import { summarize } from './statistics.ts';

/** Seconds that one process may take. */
const longest = 120;

/** Measures works of whole processes, in turns; `training` is the step that they are about. */
export async function measureProcesses(
  works: readonly ProcessWork[],
  around: { candidates: readonly Candidate[]; training: Work; places: Places; folder: string; rounds: number },
): Promise<Measured> {
  const { candidates, training, places, folder, rounds } = around;
  const inputs = await writeInputs(training, folder);
  const list = join(folder, 'inputs.json');
  await writeFile(list, JSON.stringify(inputs));
  const figures = new Map<string, { work: ProcessWork; candidate: Candidate; values: number[] }>();
  const absences: Measured['absences'][number][] = [];
  const failed = new Set<string>();
  const take = (candidate: Candidate, values: Readonly<Record<string, number>>): void => {
    for (const work of works) {
      const value = values[work.name];
      if (value === undefined) continue;
      const key = `${work.name} ${candidate.name} ${candidate.threads}`;
      const entry = figures.get(key) ?? { work, candidate, values: [] };
      entry.values.push(value);
      figures.set(key, entry);
    }
  };
  for (let round = 0; round < rounds; round++) {
    for (const program of new Set(works.map((work) => work.program))) {
      for (const candidate of candidates.filter((one) => isMeasured(one, program))) {
        const { name, threads } = candidate;
        const key = `${program} ${name} ${threads}`;
        if (failed.has(key)) continue;
        try {
          if (program === 'memory') take(candidate, await memoryFigures(candidate, training, { inputs, folder }));
          else take(candidate, await freshFigures(candidate, [program, JSON.stringify(training.task), list], places));
        } catch (error) {
          failed.add(key);
          for (const work of works.filter((one) => one.program === program)) {
            absences.push({
              work: work.name,
              implementation: name,
              threads,
              reason: (error as Error).message,
              isError: true,
            });
          }
        }
      }
    }
  }
  const results = [...figures.values()].map(({ work, candidate, values }): Result => {
    const { name, threads } = candidate;
    return {
      work: work.name,
      implementation: name,
      threads,
      unit: work.unit,
      ...summarize(values),
      samples: values.length,
    };
  });
  return { results, absences };
}

/** A page is not a process. */
function isMeasured({ name, kinds }: Candidate, program: ProcessWork['program']): boolean {
  if (name === 'evenkeel-chromium') return false;
  return program === 'memory' ? kinds.has('train-step') : name.startsWith('evenkeel');
}

const run = promisify(execFile);

/** What `fresh.mjs` prints. */
async function freshFigures(
  { command }: Candidate,
  given: readonly string[],
  { programs }: Places,
): Promise<Record<string, number>> {
  const ownArguments = command.arguments.slice(1);
  const options = { env: { ...process.env, NODE_NO_WARNINGS: '1', ...command.environment }, timeout: 1000 * longest };
  try {
    const { stdout } = await run(command.program, [join(programs, 'fresh.mjs'), ...ownArguments, ...given], options);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
  } catch (error) {
    const { stderr = '', killed } = error as { stderr?: string; killed?: boolean };
    throw new Error(killed ? `not done within ${longest} seconds` : lastWords(stderr.split('\n')));
  }
}

/** How much a process has grown, at its largest, after steps of training. Only Linux tells. */
async function memoryFigures(
  candidate: Candidate,
  training: Work,
  { inputs, folder }: { inputs: readonly InputFile[]; folder: string },
): Promise<Record<string, number>> {
  const process = await ImplementationProcess.start(candidate.command);
  try {
    const before = (await memoryOf(process.id)).now;
    const request = { inputs, results: join(folder, 'result'), seconds: 60 };
    const prepared = await process.prepare(training.task, request);
    if (!('results' in prepared)) throw new Error(Object.values(prepared).join());
    await process.measure(1);
    return { 'edm2-train-step-memory': (await memoryOf(process.id)).most - before };
  } finally {
    await process.end();
  }
}

/** Resident MiB now and at the most. */
async function memoryOf(id: number): Promise<{ now: number; most: number }> {
  const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => {
    throw new Error('only Linux tells the memory of a process');
  });
  const field = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { now: field('VmRSS'), most: field('VmHWM') };
}
