import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { InputFile, Task } from '../work/task.ts';
import { type Answer, answerMark, type Request } from './protocol.ts';

/** How an implementation is started. */
export interface Command {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** What became of a task that was given to an implementation. */
export type Preparation =
  | {
      readonly results: readonly Float32Array[];
      readonly firstMilliseconds: number;
      readonly note?: string;
      readonly deviceMilliseconds?: number;
    }
  | { readonly unsupported: string }
  | { readonly tooSlow: string }
  | { readonly failed: string };

/** An implementation in a process of its own. */
export class ImplementationProcess {
  readonly about: Readonly<Record<string, string>>;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #complaints: string[];

  private constructor(
    about: Readonly<Record<string, string>>,
    parts: { child: ChildProcess; answers: AsyncIterator<string>; complaints: string[] },
  ) {
    this.about = about;
    this.#child = parts.child;
    this.#answers = parts.answers;
    this.#complaints = parts.complaints;
  }

  /** @throws with what the process said last, when it does not start. */
  static async start({ program, arguments: given, environment }: Command): Promise<ImplementationProcess> {
    const child = spawn(program, given, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NODE_NO_WARNINGS: '1', ...environment },
    });
    const complaints: string[] = [];
    child.on('error', (error) => complaints.push(error.message));
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line));
    const parts = { child, answers: answersOf(child), complaints };
    const first = await new ImplementationProcess({}, parts).#next();
    if (first.is !== 'ready') throw new Error('reason' in first ? first.reason : `unexpected answer ${first.is}`);
    return new ImplementationProcess(first.about, parts);
  }

  /** Of the operating system. */
  get id(): number {
    return this.#child.pid as number;
  }

  /** Kills the process when it does not answer within `seconds`. */
  async prepare(
    task: Task,
    { inputs, results, seconds }: { inputs: readonly InputFile[]; results: string; seconds: number },
  ): Promise<Preparation> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#child.kill('SIGKILL');
    }, 1000 * seconds);
    const answer = await this.#ask({ ask: 'prepare', task, inputs, results });
    clearTimeout(timer);
    if (isLate) return { tooSlow: `not done within ${seconds} seconds` };
    switch (answer.is) {
      case 'prepared': {
        const files = Array.from({ length: answer.results }, (_, i) => `${results}-${i}.f32`);
        return { ...answer, results: await Promise.all(files.map(readFloats)) };
      }
      case 'unsupported':
        return { unsupported: answer.reason };
      default:
        return { failed: 'reason' in answer ? answer.reason : `unexpected answer ${answer.is}` };
    }
  }

  /** Milliseconds of single runs. */
  async measure(milliseconds: number): Promise<readonly number[]> {
    const answer = await this.#ask({ ask: 'measure', milliseconds });
    if (answer.is === 'measured') return answer.samples;
    throw new Error('reason' in answer ? answer.reason : `unexpected answer ${answer.is}`);
  }

  async release(): Promise<void> {
    await this.#ask({ ask: 'release' });
  }

  /** Ends the process and waits for it. */
  async end(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const over = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin?.end();
    const impatient = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    await over;
    clearTimeout(impatient);
  }

  async #ask(request: Request): Promise<Answer> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return this.#next();
  }

  async #next(): Promise<Answer> {
    const { value, done } = await this.#answers.next();
    if (!done) return JSON.parse(value) as Answer;
    return {
      is: 'failed',
      reason: `its process ended: ${lastWords(this.#complaints)}`,
    };
  }
}

/** The error among what a process said, without the stack around it. */
export function lastWords(lines: readonly string[]): string {
  const told = lines.filter((line) => line.trim() !== '');
  return told.find((line) => /\b\w*Error: /.test(line))?.trim() ?? told.at(-1)?.trim() ?? 'no message';
}

async function* answersOf({ stdout }: ChildProcess): AsyncGenerator<string, undefined> {
  if (stdout === null) return undefined;
  for await (const line of createInterface({ input: stdout })) {
    if (line.startsWith(answerMark)) yield line.slice(answerMark.length);
  }
  return undefined;
}

async function readFloats(file: string): Promise<Float32Array> {
  const bytes = await readFile(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
