import { isOp, type Node, rawNode, topologicalOrder } from '../graph/node.ts';
import { createNode } from '../graph/primitives.ts';
import { apply } from '../tensor/apply.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { DType } from '../types/dtype.ts';
import { isFloat } from '../types/dtype.ts';
import type { CustomRule } from './rules.ts';
import { vjp } from './vjp.ts';

/**
 * Trades memory for time: `fn`'s intermediate values are not kept for the backward pass, which computes them again when
 * it gets there. Tensors that `fn` closes over, such as parameters, get their gradients too.
 *
 * @example
 * const weight = new Generator(1).normal([64, 64]);
 * const block = checkpoint((x: Tensor) => x.matmul(weight).tanh().square());
 * const slope = grad(block(ones([8, 64])).mean(), weight); // [64, 64], from a second computation of the block
 */
export function checkpoint<I extends readonly Tensor[], D extends DType>(
  fn: (...inputs: I) => Tensor<D>,
): (...inputs: I) => Tensor<D> {
  return (...inputs) => {
    // Nodes are numbered as they are made: what is younger than this one, `fn` made.
    const { id: start } = createNode('constant', [], { value: 0, structural: true });
    const output = fn(...inputs);
    const given = new Set(inputs.map(({ node }) => node));
    const outside = (node: Node) =>
      given.has(node) || node.id < start || node.sources.length === 0 || isOp(node, 'cell');
    const steps = topologicalOrder([output.node], outside);
    const boundary = steps.filter((node) => outside(node) && node.op !== 'constant');
    if (boundary.length === 0 || outside(output.node)) return output;
    const rule: CustomRule = ({ gradient, sources }) => {
      const again = recompute(steps, boundary, outside, gradient.node);
      const real = sources.slice(1).map(({ dtype }) => isFloat(dtype));
      const inner = again.boundary.filter((_, i) => real[i]);
      const gradients = vjp([again.output], [gradient], inner);
      return real.map((has) => (has ? gradients.shift() : undefined));
    };
    return apply('custom', [output, ...boundary.map((node) => new Tensor(node))], { name: 'checkpoint', rule });
  };
}

/**
 * The steps once more, on boundary values behind barriers: nothing merges them with the first time, and they wait for
 * the gradient. Random bits get the barrier at their key.
 */
function recompute(
  steps: readonly Node[],
  boundary: readonly Node[],
  outside: (node: Node) => boolean,
  after: Node,
): { output: Tensor; boundary: Tensor[] } {
  const copies = new Map<Node, Node>();
  const barrier = (node: Node) => createNode('barrier', [node, after], {});
  for (const node of boundary) copies.set(node, barrier(node));
  for (const node of steps) {
    if (outside(node)) continue;
    const sources = node.sources.map((source) => copies.get(source) ?? source);
    if (isOp(node, 'randomBits')) sources[0] = barrier(sources[0] as Node);
    copies.set(node, rawNode(node.op, sources, node.attributes, node.shape, node.dtype));
  }
  const output = copies.get(steps[steps.length - 1] as Node) as Node;
  return { output: new Tensor(output), boundary: boundary.map((node) => new Tensor(copies.get(node) as Node)) };
}
