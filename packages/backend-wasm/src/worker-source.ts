/** What the main thread tells a worker. */
export type Order =
  | { readonly kind: 'start'; readonly memory: WebAssembly.Memory }
  | { readonly kind: 'module'; readonly id: number; readonly module: WebAssembly.Module }
  | { readonly kind: 'drop'; readonly id: number }
  | {
      readonly kind: 'run';
      readonly run: number;
      readonly id: number;
      readonly parameters: readonly number[];
      readonly sync: number;
    };

/** What a worker answers to a run. `isFirst`: no other thread has failed before. */
export interface Answer {
  readonly run: number;
  readonly error?: string;
  readonly isFirst?: boolean;
}

/**
 * The program of a worker, for Node and browsers, as text: so it needs no file of its own, whatever bundles the package.
 * A failing thread sets the abort word (8 bytes behind the meeting place) and wakes who waits for it.
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
const instances = new Map();
let memory;
const receive = (order) => {
  switch (order.kind) {
    case 'start':
      memory = order.memory;
      return;
    case 'module':
      instances.set(order.id, new WebAssembly.Instance(order.module, { memory: { memory }, math }));
      return;
    case 'drop':
      instances.delete(order.id);
      return;
    case 'run':
      try {
        instances.get(order.id).exports.run(...order.parameters);
        port.postMessage({ run: order.run });
      } catch (error) {
        const words = new Int32Array(memory.buffer, order.sync, 4);
        const isFirst = Atomics.exchange(words, 2, 1) === 0;
        Atomics.notify(words, 1);
        port.postMessage({ run: order.run, error: String(error), isFirst });
      }
  }
};
if (isNode) port.on('message', receive);
else port.onmessage = ({ data }) => receive(data);
`;
