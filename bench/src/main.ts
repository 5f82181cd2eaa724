import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { kindOf } from './gpu/adapter.ts';
import { gpuCandidates, wantsNpmGpuPeers } from './gpu/candidates.ts';
import { type Candidate, candidates, wantsNpmPeers } from './implementations.ts';
import { installPeers } from './install-peers.ts';
import { describeMachine } from './machine.ts';
import { measureProcesses } from './measure/measure-processes.ts';
import { type Absence, type Measured, measureWork, type Processes } from './measure/measure-work.ts';
import { type BenchOptions, parseOptions } from './options.ts';
import { ImplementationProcess } from './process/implementation-process.ts';
import { figuresFile, render } from './report/render.ts';
import { workTable } from './report/table.ts';
import { type Result, writeResults } from './results.ts';
import { catalog } from './work/catalog.ts';
import { gpuCatalog } from './work/gpu-catalog.ts';
import { processWorks } from './work/process-works.ts';
import type { Work } from './work/work.ts';

/** Built to `bench/dist/<process>/`. */
const programs = dirname(fileURLToPath(import.meta.url));
const places = { programs, bench: dirname(dirname(programs)) };

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(options: BenchOptions): Promise<void> {
  const isWanted = ({ name }: { name: string }) =>
    options.filter.length === 0 || options.filter.some((pattern) => pattern.test(name));
  if (options.render) return render(places.bench);
  if (options.list) {
    const works = options.gpu ? gpuCatalog('card') : [...catalog(), ...processWorks];
    for (const { name, unit } of works.filter(isWanted)) print(`${name}  ${unit}`);
    return;
  }
  const wantsNpm = options.gpu ? wantsNpmGpuPeers : wantsNpmPeers;
  if (wantsNpm(options.peers)) await installPeers(places.bench, print);
  const { found, skipped } = options.gpu ? gpuCandidates(options, places) : candidates(options, places);
  for (const line of skipped) print(pc.dim(line));
  const processes = new StartedProcesses();
  const device = options.gpu ? await deviceOf(processes, found) : undefined;
  const all = device === undefined ? catalog() : gpuCatalog(kindOf(device));
  const works = all.filter(isWanted);
  const wholeProcesses = device === undefined ? processWorks.filter(isWanted) : [];
  if (works.length + wholeProcesses.length === 0) {
    await processes.end();
    throw new Error('bench: --filter leaves nothing. See --list');
  }

  const folder = await mkdtemp(join(tmpdir(), 'evenkeel-bench-'));
  const rounds = options.quick ? { rounds: 2, slice: 20, longest: 1000 } : { rounds: 5, slice: 60, longest: 2500 };
  const results: Result[] = [];
  const errors: Absence[] = [];
  const files = [
    ...(options.json === undefined ? [] : [options.json]),
    ...(options.record ? [figuresFile(places.bench, device)] : []),
  ];
  const order = [...all, ...processWorks].map(({ name }) => name);
  /** After each work, so that a bench that is stopped has not been in vain. */
  const save = async (measured: Measured): Promise<void> => {
    results.push(...measured.results);
    errors.push(...measured.absences.filter(({ isError }) => isError));
    const figures = { machine: describeMachine(processes.about), results, commands: [commandLine()] };
    for (const file of files) await writeResults(file, figures, order);
  };
  try {
    // Drivers in software compile for a processor, a kernel after the other.
    const longestPreparation = device !== undefined && kindOf(device) === 'software' ? 300 : 60;
    const late = performance.now() + 1000 * options.seconds;
    for (const work of works) {
      if (performance.now() > late) {
        print(pc.dim(`${work.name} is skipped: ${options.seconds} seconds are over`));
        continue;
      }
      const measured = await measureWork(work, { candidates: found, processes, folder, rounds, longestPreparation });
      print(workTable(work.name, measured.results, measured.absences));
      await save(measured);
    }
    if (wholeProcesses.length > 0) {
      const training = all.find(({ name }) => name === 'edm2-train-step') as Work;
      const most = Math.max(...options.threads);
      const measured = await measureProcesses(wholeProcesses, {
        candidates: found.filter(({ threads }) => threads === most),
        training,
        places,
        folder,
        rounds: options.quick ? 1 : 2,
      });
      for (const { name } of wholeProcesses) {
        const of = <T extends { work: string }>(list: readonly T[]) => list.filter(({ work }) => work === name);
        print(workTable(name, of(measured.results), of(measured.absences)));
      }
      await save(measured);
    }
  } finally {
    await processes.end();
    await rm(folder, { recursive: true, force: true });
  }
  for (const file of files) print(`wrote ${file}`);
  if (options.record) await render(places.bench);
  if (errors.length > 0) {
    print(pc.red(`${errors.length} measurements failed:`));
    for (const { work, implementation, reason } of errors) print(pc.red(`  ${work}, ${implementation}: ${reason}`));
    // A library that crashes is its own affair; wrong results, or our own failures, are ours.
    if (
      errors.some(({ implementation, reason }) => implementation.startsWith('evenkeel') || reason.startsWith('wrong'))
    ) {
      process.exitCode = 1;
    }
  }
}

/** The graphics card that is measured, as our own process finds it. */
async function deviceOf(processes: StartedProcesses, [first]: readonly Candidate[]): Promise<string> {
  const { about } = await processes.of(first as Candidate);
  print(`device: ${about.device}`);
  return about.device as string;
}

/** What this bench was called with, without paths, which are other ones elsewhere. */
function commandLine(): string {
  const given = process.argv
    .slice(2)
    .map((argument) => (/[\\/]/.test(argument) ? '<path>' : /[^\w.,-]/.test(argument) ? `'${argument}'` : argument));
  return ['npm run bench', ...(given.length > 0 ? ['--'] : []), ...given].join(' ');
}

/** One process for each candidate, started when it is first needed. */
class StartedProcesses implements Processes {
  readonly #started = new Map<Candidate, Promise<ImplementationProcess>>();
  readonly about: Record<string, Readonly<Record<string, string>>> = {};

  of(candidate: Candidate): Promise<ImplementationProcess> {
    const known = this.#started.get(candidate);
    if (known !== undefined) return known;
    const process = ImplementationProcess.start(candidate.command).then((started) => {
      this.about[candidate.name] = started.about;
      return started;
    });
    this.#started.set(candidate, process);
    return process;
  }

  async restart(candidate: Candidate): Promise<void> {
    const process = await this.#started.get(candidate);
    this.#started.delete(candidate);
    await process?.end();
  }

  async end(): Promise<void> {
    for (const process of await Promise.allSettled(this.#started.values())) {
      if (process.status === 'fulfilled') await process.value.end();
    }
  }
}

try {
  await run(parseOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${pc.red('error')} ${(error as Error).message}\n`);
  process.exitCode = 1;
}
