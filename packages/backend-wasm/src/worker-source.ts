import type { HostArray } from '@evenkeel/tensor';
import { SYNC_BYTES, syncWords } from './barrier.ts';

/** What the main thread tells a worker. What has an `id` is answered. */
export type Order =
  /** `memory`: that of all threads, or how large a memory of its own shall be, in pages. */
  | { readonly kind: 'start'; readonly memory: WebAssembly.Memory | { initial: number; maximum: number } }
  | { readonly kind: 'module'; readonly module: number; readonly code: WebAssembly.Module }
  | { readonly kind: 'drop'; readonly module: number }
  | RunOrder
  | { readonly kind: 'grow'; readonly bytes: number }
  | MemoryOrder;

export interface RunOrder {
  readonly kind: 'run';
  readonly id: number;
  readonly module: number;
  readonly parameters: readonly number[];
  readonly sync: number;
  readonly threads: number;
}

/** To a worker whose memory is its own. */
export type MemoryOrder =
  | { readonly kind: 'write'; readonly id: number; readonly at: number; readonly values: HostArray }
  | { readonly kind: 'read'; readonly id: number; readonly at: number; readonly length: number };

export interface Answer {
  readonly id: number;
  readonly error?: string;
  /** No other thread has failed before, and the step that this one was at. */
  readonly isFirst?: boolean;
  readonly step?: number;
  /** Milliseconds that a run took this thread, waiting for the others included. */
  readonly busy?: number;
  /** What was read. */
  readonly bytes?: ArrayBuffer;
}

/**
 * The program of a worker, for Node and browsers, as text: so it needs no file of its own, whatever bundles the package.
 * A failing thread sets the abort word and wakes who waits for it.
 */
export const workerSource = `'use strict';
const isNode = typeof process === 'object' && process.versions !== undefined && process.versions.node !== undefined;
const port = isNode ? require('node:worker_threads').parentPort : self;
const roundToEven = (x) => {
  if (!(Math.abs(x) < 2 ** 51)) return x;
  const rounded = x + 6755399441055744 - 6755399441055744;
  return rounded === 0 ? x * 0 : rounded;
};
const modulo = (a, b) => {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
};
const floorDivide = (a, b) => {
  if (b === 0) return a / b;
  if (Math.abs(b) === Infinity && Number.isFinite(a)) return a !== 0 && a < 0 !== b < 0 ? -1 : 0;
  return roundToEven((a - modulo(a, b)) / b);
};
const roundToHalf = (x) => {
  const size = Math.abs(x);
  if (!(size < 65520)) return size >= 65520 ? Math.sign(x) * Infinity : x;
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const unit = 2 ** (exponent - 10);
  return Math.sign(x) * roundToEven(size / unit) * unit || x * 0;
};
const math = { floorDivide, modulo, roundToHalf };
/** Who has given up waits until all have: the next run, which may be here already, works in the same memory. */
const leave = (words, threads) => {
  const place = ${syncWords.left / 4};
  Atomics.add(words, place, 1);
  Atomics.notify(words, place);
  for (let left; (left = Atomics.load(words, place)) < threads; ) Atomics.wait(words, place, left);
};
const instances = new Map();
let memory;
let noMemory;
const answers = {
  run({ id, module, parameters, sync, threads }) {
    const started = performance.now();
    try {
      instances.get(module).exports.run(...parameters);
      return { id, busy: performance.now() - started };
    } catch (error) {
      const words = new Int32Array(memory.buffer, sync, ${SYNC_BYTES / 4});
      const isFirst = Atomics.exchange(words, ${syncWords.abort / 4}, 1) === 0;
      Atomics.notify(words, ${syncWords.generation / 4});
      leave(words, threads);
      return { id, error: String(error), isFirst, step: words[${syncWords.step / 4}] };
    }
  },
  write({ id, at, values }) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
    return { id };
  },
  read({ id, at, length }) {
    return { id, bytes: memory.buffer.slice(at, at + length) };
  },
};
const receive = (order) => {
  switch (order.kind) {
    case 'start':
      memory = order.memory instanceof WebAssembly.Memory ? order.memory : new WebAssembly.Memory(order.memory);
      return;
    case 'module':
      instances.set(order.module, new WebAssembly.Instance(order.code, { memory: { memory }, math }));
      return;
    case 'drop':
      instances.delete(order.module);
      return;
    case 'grow':
      try {
        const missing = order.bytes - memory.buffer.byteLength;
        if (missing > 0) memory.grow(Math.ceil(missing / 65536));
      } catch (error) {
        noMemory = 'the machine has no ' + order.bytes + ' bytes of memory (' + error + ')';
      }
      return;
    default: {
      const answer = noMemory === undefined ? answers[order.kind](order) : { id: order.id, error: noMemory };
      port.postMessage(answer, answer.bytes ? [answer.bytes] : []);
    }
  }
};
if (isNode) port.on('message', receive);
else port.onmessage = ({ data }) => receive(data);
`;
