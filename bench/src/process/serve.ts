import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type Implementation, type Input, type Prepared, Unsupported } from './implementation.ts';
import { type Answer, answerMark, type Request } from './protocol.ts';
import { measure, timeOnDevice, warm } from './timing.ts';

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
        if (prepared.measure === undefined) {
          batch = await warm(prepared, firstMilliseconds, implementation.pace);
        }
        const { note } = prepared;
        const deviceMilliseconds = await timeOnDevice(prepared, batch, implementation.pace);
        say({
          is: 'prepared',
          results: results.length,
          firstMilliseconds,
          ...(note === undefined ? {} : { note }),
          ...(deviceMilliseconds === undefined ? {} : { deviceMilliseconds }),
        });
      } else if (request.ask === 'measure') {
        const { milliseconds } = request;
        const ready = prepared as Prepared;
        say({
          is: 'measured',
          samples:
            (await ready.measure?.(milliseconds)) ?? (await measure(ready, batch, milliseconds, implementation.pace)),
        });
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
