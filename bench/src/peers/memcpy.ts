// Copies arrays as fast as the machine does, on some threads: `memcpy.mjs <threads>`.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Input, type Prepared, Unsupported } from '../process/implementation.ts';
import { serve } from '../process/serve.ts';
import type { Task } from '../work/task.ts';

/** Unshared arrays: engines copy shared ones word by word. */
const workerSource = `
const { parentPort, workerData } = require('node:worker_threads');
const from = new Float32Array(workerData);
const to = new Float32Array(from.length);
parentPort.on('message', (count) => {
  for (let i = 0; i < count; i++) to.set(from);
  parentPort.postMessage(count === 0 ? to : undefined);
});`;

const threads = Number(process.argv[2] ?? 1);

async function prepare(task: Task, [x]: readonly Input[]): Promise<Prepared> {
  if (task.kind !== 'copy') throw new Unsupported('only copies');
  const { values } = x as Input;
  const part = Math.ceil(values.length / threads);
  const workers = Array.from({ length: threads }, (_, i) => {
    return new Worker(workerSource, { eval: true, workerData: values.slice(i * part, (i + 1) * part) });
  });
  const ask = (count: number) =>
    Promise.all(
      workers.map(async (worker) => {
        worker.postMessage(count);
        return (await once(worker, 'message'))[0] as Float32Array | undefined;
      }),
    );
  return {
    run: async (count) => void (await ask(count)),
    async results() {
      const parts = await ask(0);
      const whole = new Float32Array(values.length);
      for (const [i, copied] of parts.entries()) whole.set(copied as Float32Array, i * part);
      return [whole];
    },
    dispose: async () => void (await Promise.all(workers.map((worker) => worker.terminate()))),
  };
}

await serve({ about: { node: process.version }, prepare });
