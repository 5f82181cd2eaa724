import type { Op } from '../graph/node.ts';
import type { Expr, Kernel } from './ir.ts';
import { visitExprs } from './walk.ts';

const transcendental = new Set<string>(['exp', 'log', 'sin', 'cos', 'tanh', 'erf', 'sigmoid', 'pow']);

/** Additions, shifts and the like of one number of Threefry. */
export const RANDOM = 100;

/** Rough cost of one element of a primitive, in additions: what fusion weighs against a store and a load. */
export function elementCost(op: Op): number {
  if (transcendental.has(op)) return 10;
  if (op === 'sqrt' || op === 'div' || op === 'mod' || op === 'floorDiv' || op === 'concat') return 3;
  if (op === 'randomBits') return RANDOM;
  if (movements.has(op)) return 0;
  return 1;
}

/** Primitives that only choose which element is read. */
export const movements: ReadonlySet<Op> = new Set<Op>([
  'reshape',
  'permute',
  'expand',
  'pad',
  'slice',
  'flip',
  'gather',
  'detach',
  'barrier',
  'custom',
]);

function count(sizes: readonly number[]): number {
  return sizes.reduce((product, size) => product * size, 1);
}

const operations = new Set<Expr['kind']>(['unary', 'binary', 'compare', 'where']);

/** Arithmetic operations of one evaluation of the expressions, shared values once. */
function arithmetic(roots: readonly Expr[]): number {
  let count = 0;
  visitExprs(roots, ({ kind }) => {
    if (kind === 'random') count += RANDOM;
    else if (operations.has(kind)) count++;
    return undefined;
  });
  return count;
}

/**
 * Floating-point (and integer) operations of a kernel, a multiply-add counted as two.
 *
 * @example
 * const one: Expr = { kind: 'literal', dtype: 'float32', value: 1 };
 * const sum: Stage = { kind: 'reduce', op: 'sum', value: one };
 * flopsOf({ kind: 'row', operands: [], arguments: [], outer: [8], inner: [100], stages: [sum] }); // 800
 */
export function flopsOf(kernel: Kernel): number {
  switch (kernel.kind) {
    case 'row': {
      const rows = count(kernel.outer);
      const elements = rows * count(kernel.inner);
      const perElement = kernel.stages.map((stage) => (stage.kind === 'store' ? stage.store.value : stage.value));
      const reductions = kernel.stages.filter((stage) => stage.kind === 'reduce' || stage.kind === 'scan').length;
      return elements * (arithmetic(perElement) + reductions);
    }
    case 'contraction': {
      const outputs = count(kernel.batch) * count(kernel.m) * count(kernel.n);
      return outputs * (2 * count(kernel.k) + arithmetic(kernel.stores.map(({ value }) => value)));
    }
    case 'scatterAdd':
      return count(kernel.outer) * kernel.updates * (1 + arithmetic([kernel.update]));
    case 'host':
      return 0;
  }
}
