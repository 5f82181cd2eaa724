import { afterEach, describe, expect, test } from 'vitest';
import { AddressSpace } from '../src/address-space.ts';
import { addBarrier, SYNC_BYTES, syncWords } from '../src/barrier.ts';
import { type Local, ModuleBuilder } from '../src/encoder.ts';
import { SharedMemory } from '../src/host-memory.ts';
import { startWorker, type WorkerEvents, type WorkerHandle } from '../src/worker.ts';
import { WorkerPool } from '../src/worker-pool.ts';

const threads = 2;
const memory = new SharedMemory(2 ** 24);
const space = new AddressSpace(2 ** 24, (end) => memory.reach(end));
let pool: WorkerPool | undefined;

afterEach(async () => {
  await pool?.dispose();
});

/**
 * `(thread, sync, cell)`: meets the others, adds the thread's number to the cell; traps in thread `trapping`. Thread
 * `late` does not come before the cell is set.
 */
async function compile(trapping: number, late = -1): Promise<WebAssembly.Module> {
  const module = new ModuleBuilder();
  module.importMemory({ module: 'memory', name: 'memory', initial: 1, maximum: 65_536, shared: true });
  const barrier = addBarrier(module);
  const f = module.function({ parameters: ['i32', 'i32', 'i32'] }, 'run');
  const [thread, sync, cell] = f.parameters as [Local, Local, Local];
  f.get(thread)
    .i32(trapping)
    .op('i32.eq')
    .if(() => f.op('unreachable'));
  f.get(thread)
    .i32(late)
    .op('i32.eq')
    .if(() => {
      f.loop((again) => f.get(cell).memory('i32.atomic.load').op('i32.eqz').brIf(again));
    });
  f.get(sync).i32(threads).call(barrier);
  f.get(cell).get(thread).i32(1).op('i32.add').memory('i32.atomic.rmw.add').op('drop');
  return WebAssembly.compile(module.toBytes());
}

/** The workers' events, by thread. */
let events: WorkerEvents[] = [];
let handles: WorkerHandle[] = [];

async function start(trapping: number, late?: number) {
  events = [];
  handles = [];
  const created = new WorkerPool({
    threads,
    memory: memory.memory,
    start: async (given) => {
      const handle = await startWorker(given);
      events.push(given);
      handles.push(handle);
      return handle;
    },
  });
  pool = created;
  created.add(1, await compile(trapping, late));
  const sync = space.allocate(SYNC_BYTES) as number;
  const cell = space.allocate(4) as number;
  const value = (): number => memory.read('int32', cell, 1)[0] as number;
  const run = async (): Promise<void> => {
    memory.write(sync, new Uint8Array(SYNC_BYTES));
    await created.run(1, sync, (thread) => [thread, sync, cell]);
  };
  return { run, value, sync, cell };
}

describe('a pool of workers', () => {
  test('runs a function on all threads, again and again', async () => {
    const { run, value } = await start(-1);
    for (let i = 1; i <= 3; i++) {
      await run();
      expect(value()).toBe(3 * i);
    }
  });

  test('runs that are given at once follow each other, also where the first waits long', async () => {
    const { run, value, cell } = await start(-1, 1);
    const second = space.allocate(SYNC_BYTES) as number;
    memory.write(second, new Uint8Array(SYNC_BYTES));
    const first = run();
    const next = (pool as WorkerPool).run(1, second, (thread) => [thread, second, cell]);
    Atomics.store(new Int32Array(memory.memory.buffer), cell / 4, 10);
    await Promise.all([first, next]);
    expect(value()).toBe(16);
  });

  test('a thread that waits long for another sleeps', async () => {
    const { run, value, sync, cell } = await start(-1, 1);
    const done = run();
    const words = new Int32Array(memory.memory.buffer);
    // Waking gives the number of those that slept.
    while (Atomics.notify(words, (sync + syncWords.generation) / 4) === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    Atomics.store(words, cell / 4, 10);
    await done;
    expect(value()).toBe(13);
  });

  test('rejects when a worker dies while the other waits for it, and starts another', async () => {
    const { run, value } = await start(-1);
    await run();
    await handles[1]?.end();
    const running = run();
    // The first thread waits for the second, which is no more.
    const rejected = expect(running).rejects.toThrow('worker 1 of 2 died: killed');
    await new Promise((resolve) => setImmediate(resolve));
    events[1]?.died('killed');
    await rejected;
    await run();
    expect(value()).toBeGreaterThan(3);
  });

  test('rejects when one thread traps and the other waits for it', async () => {
    const { run } = await start(1);
    await expect(run()).rejects.toThrow('unreachable');
    await expect(run()).rejects.toThrow('unreachable');
  });
});
