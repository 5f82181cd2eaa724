import type { Node } from '../graph/node.ts';
import { isOp } from '../graph/node.ts';
import type { Program } from '../schedule/canonical.ts';
import { elementCount } from '../types/shape.ts';
import { developmentMode, warnOnce } from './development.ts';

/** Multiply-adds, counted as two, from which work done twice is worth a word. */
const threshold = 1e7;

/** Expensive nodes that a run has computed. */
const computed = new WeakSet<Node>();

/** Warns, in development mode, when a run computes again what an earlier run computed for another result. */
export function noteSharedWork(program: Program): void {
  if (!developmentMode()) return;
  let shared = 0;
  for (const node of program.nodes) {
    const cost = contractionCost(node);
    if (cost === 0) continue;
    if (computed.has(node)) shared += cost;
    else computed.add(node);
  }
  if (shared >= threshold) {
    warnOnce(
      'shared work',
      `results read separately share ${(shared / 1e6).toFixed(0)} million operations, which are computed again for each. Read them together: await realize(a, b), or pin the common part: await t.realize()`,
    );
  }
}

function contractionCost(node: Node): number {
  if (isOp(node, 'matmul')) return 2 * elementCount(node.shape) * ((node.sources[0] as Node).shape.at(-1) as number);
  if (isOp(node, 'conv')) {
    const weight = (node.sources[1] as Node).shape;
    return 2 * elementCount(node.shape) * (weight[1] as number) * elementCount(weight.slice(2));
  }
  return 0;
}
