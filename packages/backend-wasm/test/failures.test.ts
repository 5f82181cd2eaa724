import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { type Worker } from 'node:worker_threads';
import type { DeviceBuffer } from '@evenkeel/tensor';
import type { Plan } from '@evenkeel/tensor/kernel';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type WasmBackend, type WasmOptions, wasm } from '../src/index.ts';
import { chain, inPlaces, strided } from './plans.ts';

const LENGTH = 2 ** 18;
const good = chain(LENGTH, [strided(LENGTH, 1), strided(LENGTH, 1), strided(LENGTH, 1)]);
/** The second kernel reads far behind all memory; its first chunks do not. */
const bad = chain(LENGTH, [strided(LENGTH, 1), strided(LENGTH, 1024), strided(LENGTH, 1)]);
/** As long as it takes to see that it is under way. */
const long = inPlaces(chain(LENGTH, new Array(2000).fill(strided(LENGTH, 1))));

/** The threads of Node that were started. */
const workers: Worker[] = [];
const { Worker: RealWorker } = workerThreads;
beforeAll(() => {
  workerThreads.Worker = class extends RealWorker {
    constructor(...options: ConstructorParameters<typeof RealWorker>) {
      super(...options);
      workers.push(this);
    }
  };
  syncBuiltinESMExports();
});
afterAll(() => {
  workerThreads.Worker = RealWorker;
  syncBuiltinESMExports();
});

let backend: WasmBackend | undefined;
afterEach(async () => {
  workers.length = 0;
  await backend?.dispose();
});

async function setUp(options: WasmOptions) {
  const made = wasm(options);
  backend = made;
  const input = made.allocate({ dtype: 'float32', length: LENGTH });
  await input.write(Float32Array.from({ length: LENGTH }, (_, i) => i));
  const start = async (plan: Plan) => {
    const executable = await made.compile(plan);
    return made.run(executable, { inputs: [input], arguments: new Float64Array() });
  };
  const expectGood = async () => {
    const { outputs } = await start(good);
    const values = await (outputs[0] as DeviceBuffer).read();
    expect([values[0], values[LENGTH - 1]]).toEqual([3, LENGTH + 2]);
  };
  return { backend: made, start, expectGood };
}

const places = [{ threads: 1 }, { threads: 2 }, { threads: 4 }, { shared: false }];

describe('a run fails', () => {
  test.each(places)('where a thread traps, %o: with the step; the next run works', async (options) => {
    const { start, expectGood } = await setUp(options);
    for (let i = 0; i < 3; i++) {
      await expect((await start(bad)).done).rejects.toThrow(
        /wasm backend: step 1 of 3 \(row \[262144\]: add\) failed: RuntimeError: memory access out of bounds/,
      );
      await expectGood();
    }
  });

  test('where a thread traps: what was given to follow works', async () => {
    for (const threads of [1, 3]) {
      const { backend, start, expectGood } = await setUp({ threads });
      await expectGood();
      const input = backend.allocate({ dtype: 'float32', length: LENGTH });
      const executables = await Promise.all([bad, good, good].map((plan) => backend.compile(plan)));
      const runs = executables.map((one) => backend.run(one, { inputs: [input], arguments: new Float64Array() }));
      const outcomes = await Promise.allSettled(runs.map(({ done }) => done));
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
      await (await start(good)).done;
      await expectGood();
      await backend.dispose();
    }
  });

  test('where a worker is killed: with the step; the next run works', async () => {
    const { start, expectGood } = await setUp({ threads: 2 });
    await expectGood();
    const { done } = await start(long);
    const failed = expect(done).rejects.toThrow(
      /wasm backend: step \d+ of 2000 \(row \[262144\]: add\) failed: worker 1 of 2 died: ended with code 1/,
    );
    await workers[1]?.terminate();
    await failed;
    await expectGood();
    expect(workers).toHaveLength(3);
  });

  test('for good where the only worker is killed, and the memory with it', async () => {
    const { start, backend: made, expectGood } = await setUp({ shared: false });
    await expectGood();
    const { done, outputs } = await start(long);
    const failed = expect(done).rejects.toThrow(/its worker died|worker 0 of 1 died/);
    const unread = expect(outputs[0]?.read()).rejects.toThrow(/died/);
    await workers[0]?.terminate();
    await failed;
    await unread;
    const later = made.allocate({ dtype: 'float32', length: 1 });
    await expect(later.read()).rejects.toThrow(
      /^wasm backend: its worker died \(ended with code 1\), and with it the memory, which was its own. Create another$/,
    );
  });
});

describe('dispose', () => {
  test.each(places)('ends what is under way, %o', async (options) => {
    const { start, backend: made } = await setUp(options);
    const runs = [await start(good), await start(long), await start(bad), await start(good)];
    const settled = Promise.allSettled(runs.map(({ done }) => done));
    await made.dispose();
    expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    await expect(start(good)).rejects.toThrow('used after dispose. Create another');
  });

  test('before anything was done, and twice', async () => {
    const made = wasm();
    await made.dispose();
    await made.dispose();
    // Threads start at once; those that were started have ended.
    expect(workers.filter(({ threadId }) => threadId !== -1)).toHaveLength(0);
  });
});

test('the main thread is free while a plan runs', async () => {
  const { start } = await setUp({ threads: 2 });
  let isDone = false;
  const { done } = await start(long);
  void done.then(() => {
    isDone = true;
  });
  let turns = 0;
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  expect(turns).toBeGreaterThan(20);
});
