import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Bench } from 'tinybench';
import type { Task } from '../work/task.ts';
import { type Answer, answerMark, type Request } from './protocol.ts';

/** An input's values. */
export interface Input {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A task made ready. */
export interface Prepared {
  /** Runs the task so many times, and is over when all of it is computed. */
  run(count: number): Promise<void>;
  /** Of the first run, in the order and layout that the task names. */
  results(): Promise<readonly Float32Array[]>;
  dispose(): void | Promise<void>;
  /** A choice that was made, such as a memory format. */
  readonly note?: string;
}

/** A library as the bench sees it. */
export interface Implementation {
  readonly about: Readonly<Record<string, string>>;
  /** @throws Unsupported where the library cannot do it. */
  prepare(task: Task, inputs: readonly Input[]): Promise<Prepared>;
}

/** The library lacks what the task needs; not an error of anyone. */
export class Unsupported extends Error {}

/** Answers the bench until its input ends. */
export async function serve(implementation: Implementation): Promise<void> {
  let prepared: Prepared | undefined;
  let batch = 1;
  say({ is: 'ready', about: implementation.about });
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as Request;
    try {
      if (request.ask === 'prepare') {
        const inputs = await Promise.all(request.inputs.map(load));
        prepared = await implementation.prepare(request.task, inputs);
        const started = performance.now();
        await prepared.run(1);
        const firstMilliseconds = performance.now() - started;
        const results = await prepared.results();
        await Promise.all(results.map((values, i) => writeFile(`${request.results}-${i}.f32`, bytesOf(values))));
        batch = await warm(prepared, firstMilliseconds);
        const note = prepared.note === undefined ? {} : { note: prepared.note };
        say({ is: 'prepared', results: results.length, firstMilliseconds, ...note });
      } else if (request.ask === 'measure') {
        say({ is: 'measured', samples: await measure(prepared as Prepared, batch, request.milliseconds) });
      } else {
        await prepared?.dispose();
        prepared = undefined;
        say({ is: 'released' });
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      say(error instanceof Unsupported ? { is: 'unsupported', reason } : { is: 'failed', reason });
    }
  }
}

/** Runs until compilers have done their work; gives how many runs take a few milliseconds. */
async function warm(prepared: Prepared, firstMilliseconds: number): Promise<number> {
  if (firstMilliseconds > 3000) return 1;
  const started = performance.now();
  let fastest = firstMilliseconds;
  for (let i = 0; i < 3 || (performance.now() - started < 100 && i < 1000); i++) {
    const before = performance.now();
    await prepared.run(1);
    fastest = Math.min(fastest, performance.now() - before);
    if (performance.now() - started > 3000) break;
  }
  return Math.max(1, Math.min(1000, Math.round(4 / fastest)));
}

/** Milliseconds of a run, from `batch` of them at a time, so that clocks and turns of the event loop weigh little. */
async function measure(prepared: Prepared, batch: number, milliseconds: number): Promise<number[]> {
  const bench = new Bench({ time: milliseconds, iterations: 1, throws: true });
  bench.add('run', () => prepared.run(batch));
  await bench.run();
  return (bench.tasks[0]?.result?.samples ?? []).map((sample) => sample / batch);
}

/** An input's values, from its file. */
export async function load({
  name,
  shape,
  file,
}: {
  name: string;
  shape: readonly number[];
  file: string;
}): Promise<Input> {
  const bytes = await readFile(file);
  return { name, shape, values: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4).slice() };
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function say(answer: Answer): void {
  process.stdout.write(`${answerMark}${JSON.stringify(answer)}\n`);
}
