import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Candidate, isAffordable } from '../implementations.ts';
import type { ImplementationProcess } from '../process/implementation-process.ts';
import type { Result } from '../results.ts';
import { inputValues } from '../work/input-values.ts';
import type { InputFile } from '../work/task.ts';
import { figureOf, type Work } from '../work/work.ts';
import { findMistake } from './check.ts';
import { interleave, type Rounds } from './interleave.ts';
import { summarize } from './statistics.ts';

/** Processes by candidate; one that ended is started again. */
export interface Processes {
  of(candidate: Candidate): Promise<ImplementationProcess>;
  restart(candidate: Candidate): Promise<void>;
}

/** An implementation that gave no figure. */
export interface Absence {
  readonly work: string;
  readonly implementation: string;
  readonly threads: number;
  readonly reason: string;
  /** Wrong results and crashes; else it just cannot. */
  readonly isError: boolean;
}

/** What came of a work. */
export interface Measured {
  readonly results: readonly Result[];
  readonly absences: readonly Absence[];
}

interface Ready {
  readonly candidate: Candidate;
  readonly process: ImplementationProcess;
  readonly note: string | undefined;
  readonly deviceMilliseconds: number | undefined;
}

/** Measures all candidates that can do a work, in turns, once their results are checked. */
export async function measureWork(
  work: Work,
  around: {
    candidates: readonly Candidate[];
    processes: Processes;
    folder: string;
    rounds: Rounds;
    /** Seconds that loading, compiling, the first run and those that warm up may take together. */
    longestPreparation: number;
  },
): Promise<Measured> {
  const { candidates, processes, folder, rounds, longestPreparation } = around;
  const inputs = work.inputs.map(inputValues);
  const files = await writeInputs(work, folder, inputs);
  const ready: Ready[] = [];
  const absences: Absence[] = [];
  let ours: readonly Float32Array[] | undefined;
  for (const candidate of candidates.filter(({ kinds }) => kinds.has(work.task.kind))) {
    const absent = (reason: string, isError: boolean): void => {
      const { name, threads } = candidate;
      absences.push({ work: work.name, implementation: name, threads, reason, isError });
    };
    if (!isAffordable(candidate, work)) {
      absent('would take too long', false);
      continue;
    }
    const process = await processes
      .of(candidate)
      .catch((error: Error) => absent(`does not start: ${error.message}`, true));
    if (process === undefined) continue;
    const request = { inputs: files, results: join(folder, 'result'), seconds: longestPreparation };
    const prepared = await process.prepare(work.task, request);
    if ('unsupported' in prepared) {
      absent(prepared.unsupported, false);
      continue;
    }
    if (!('results' in prepared)) {
      await processes.restart(candidate);
      if ('tooSlow' in prepared) absent(prepared.tooSlow, false);
      else absent(prepared.failed, true);
      continue;
    }
    const mistake = findMistake(work, prepared.results, { inputs, others: ours });
    if (mistake !== undefined) {
      absent(`wrong result: ${mistake}`, true);
      await process.release();
      continue;
    }
    if (candidate.name.startsWith('evenkeel')) ours ??= prepared.results;
    ready.push({ candidate, process, note: prepared.note, deviceMilliseconds: prepared.deviceMilliseconds });
  }
  const turns = ready.map((one) => ({ one, measure: (milliseconds: number) => one.process.measure(milliseconds) }));
  const samples = await interleave(turns, rounds);
  for (const { process } of ready) await process.release();
  const results = turns.map((turn): Result => {
    const { candidate, note, deviceMilliseconds, process } = turn.one;
    const { device } = process.about;
    const figures = (samples.get(turn) as number[]).map((milliseconds) => figureOf(work, milliseconds));
    return {
      work: work.name,
      implementation: candidate.name,
      threads: candidate.threads,
      unit: work.unit,
      ...summarize(figures),
      samples: figures.length,
      ...(note === undefined ? {} : { note }),
      ...(device === undefined ? {} : { device }),
      ...(deviceMilliseconds === undefined ? {} : { byDevice: figureOf(work, deviceMilliseconds) }),
    };
  });
  return { results, absences };
}

/** Puts a work's inputs into files, where processes read them. */
export async function writeInputs(
  work: Work,
  folder: string,
  values = work.inputs.map(inputValues),
): Promise<InputFile[]> {
  return Promise.all(
    work.inputs.map(async ({ name, shape }, i) => {
      const file = join(folder, `input-${i}.f32`);
      const { buffer, byteOffset, byteLength } = values[i] as Float32Array;
      await writeFile(file, new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
      return { name, shape, file };
    }),
  );
}
