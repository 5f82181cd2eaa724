import type { Answer, Order } from './worker-source.ts';
import { workerSource } from './worker-source.ts';

/** A thread, in Node or in a browser. */
export interface WorkerHandle {
  /** Arrays that the order writes are moved, not copied: they are empty afterwards. */
  send(order: Order): void;
  /** Whether the process stays alive for it; browsers know no such thing. */
  keepAlive(isNeeded: boolean): void;
  end(): Promise<unknown>;
}

export interface WorkerEvents {
  answer(answer: Answer): void;
  /** It is gone, and did not end by `end`. */
  died(reason: string): void;
}

const isNode = (): boolean => typeof process === 'object' && process.versions?.node !== undefined;

export async function startWorker(events: WorkerEvents): Promise<WorkerHandle> {
  return isNode() ? startNodeWorker(events) : startWebWorker(events);
}

function movedBy(order: Order): ArrayBuffer[] {
  return order.kind === 'write' ? [order.values.buffer as ArrayBuffer] : [];
}

/** Node's own modules by name, so that bundles for browsers do not look for them. */
async function nodeModule(name: string): Promise<unknown> {
  const specifier = `node:${name}`;
  return import(/* @vite-ignore */ specifier);
}

async function startNodeWorker({ answer, died }: WorkerEvents): Promise<WorkerHandle> {
  const { Worker } = (await nodeModule('worker_threads')) as typeof import('node:worker_threads');
  const worker = new Worker(workerSource, { eval: true });
  let isEnding = false;
  worker.unref();
  worker.on('message', answer);
  worker.on('error', (error) => died(error.message));
  worker.on('exit', (code) => {
    if (!isEnding) died(`ended with code ${code}`);
  });
  return {
    send: (order) => worker.postMessage(order, movedBy(order)),
    keepAlive: (isNeeded) => (isNeeded ? worker.ref() : worker.unref()),
    end: () => {
      isEnding = true;
      return worker.terminate();
    },
  };
}

/** The part of a browser's Worker that is used here. */
interface WebWorker {
  postMessage(order: Order, moved: ArrayBuffer[]): void;
  terminate(): void;
  onmessage: ((event: { data: Answer }) => void) | null;
  onerror: ((event: { message?: string }) => void) | null;
}

async function startWebWorker({ answer, died }: WorkerEvents): Promise<WorkerHandle> {
  const { Worker } = globalThis as unknown as { Worker: new (url: string) => WebWorker };
  const url = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onmessage = ({ data }) => answer(data);
  // A worker that was not allowed to start tells nothing.
  worker.onerror = ({ message }) =>
    died(message ?? 'it could not start. A content security policy must allow worker-src blob:');
  return {
    send: (order) => worker.postMessage(order, movedBy(order)),
    keepAlive: () => {},
    end: async () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
