import type { Node } from '../graph/node.ts';
import { isOp } from '../graph/node.ts';
import { constantValue } from '../graph/simplify.ts';
import { movements } from '../kernel/cost.ts';
import { elementCount, reshapeParts, type Shape, stridesOf } from '../types/shape.ts';
import { isLeaf } from './fuse.ts';

/** Where a result's elements are among those of another node: the strides by which that node is to be stored. */
export interface Placement {
  readonly node: Node;
  readonly strides: readonly number[];
}

/** These kernels write their result in its own order. */
const inOwnOrder = new Set<string>(['scatterAdd', 'host']);

/**
 * A result that only reorders what a kernel computes is that value, stored in another order: `x.matmul(w).transpose()` is
 * the product, written column by column. Nothing is made to copy it. `rowMajor` are nodes that are read in that order.
 */
export function placementOf(result: Node, rowMajor: ReadonlySet<Node>): Placement {
  let found: Placement = { node: result, strides: stridesOf(result.shape) };
  for (let here: Placement | undefined = found; here; here = behind(here)) {
    const { node } = here;
    if (isLeaf(node) || constantValue(node) !== undefined) break;
    const isComputed = !movements.has(node.op) && !inOwnOrder.has(node.op) && !rowMajor.has(node);
    if (isComputed || isRowMajor(here)) found = here;
    if (rowMajor.has(node)) break;
  }
  return found;
}

/** Physical order of axes, slowest first, of an array with these strides. */
export function orderOf(strides: readonly number[]): number[] {
  return strides.map((_, axis) => axis).sort((a, b) => (strides[b] as number) - (strides[a] as number) || a - b);
}

/** Strides of an array whose axes lie in `order`, slowest first. */
export function stridesIn(order: readonly number[], shape: Shape): number[] {
  const physical = stridesOf(order.map((axis) => shape[axis] as number));
  const strides = new Array<number>(shape.length);
  order.forEach((axis, i) => {
    strides[axis] = physical[i] as number;
  });
  return strides;
}

/** The same places as those of the node's source; undefined where it is more, or fewer, elements or has no strides. */
function behind({ node, strides }: Placement): Placement | undefined {
  const [source] = node.sources as [Node];
  if (isOp(node, 'permute')) {
    const turned = new Array<number>(strides.length);
    node.attributes.order.forEach((axis, i) => {
      turned[axis] = strides[i] as number;
    });
    return { node: source, strides: turned };
  }
  if (!isOp(node, 'reshape')) return undefined;
  const reshaped = reshapedStrides(node.shape, strides, source.shape);
  return reshaped && { node: source, strides: reshaped };
}

/** Strides of `to` that lead to the same places as those of `from`. */
function reshapedStrides(from: Shape, strides: readonly number[], to: Shape): number[] | undefined {
  if (elementCount(from) === 0) return stridesOf(to);
  const result: number[] = [];
  for (const part of reshapeParts(from, to)) {
    const axes = from.map((_, axis) => axis).slice(...part.from);
    const step = stepOf(
      axes.map((axis) => from[axis] as number),
      axes.map((axis) => strides[axis] as number),
    );
    if (step === undefined) return undefined;
    result.push(...stridesOf(to.slice(...part.to)).map((stride) => stride * step));
  }
  return result;
}

/** The distance between neighbours among all elements of some axes, in row-major order, if it is always the same. */
function stepOf(sizes: Shape, strides: readonly number[]): number | undefined {
  const wide = sizes.flatMap((size, i) => (size > 1 ? [{ size, stride: strides[i] as number }] : []));
  const step = wide.at(-1)?.stride ?? 1;
  const expected = stridesOf(wide.map(({ size }) => size));
  return wide.every(({ stride }, i) => stride === (expected[i] as number) * step) ? step : undefined;
}

function isRowMajor({ node, strides }: Placement): boolean {
  const expected = stridesOf(node.shape);
  return node.shape.every((size, axis) => size === 1 || strides[axis] === expected[axis]);
}
