import { isOp, type Node, topologicalOrder } from '../graph/node.ts';
import { filled } from '../tensor/apply.ts';
import { Tensor } from '../tensor/tensor.ts';
import { isFloat } from '../types/dtype.ts';
import { sameShape, showShape } from '../types/shape.ts';
import { passesGradient, type Rule, rules } from './rules.ts';

/** One node for each version of a cell: handles taken before and after a commit mean the same leaf. */
function leaves(): (node: Node) => Node {
  const known = new Map<string, Node>();
  return (node) => {
    if (!isOp(node, 'cell')) return node;
    const { cell, version } = node.attributes;
    const key = `${cell.id}:${version}`;
    const first = known.get(key) ?? node;
    known.set(key, first);
    return first;
  };
}

/**
 * Gradients of `wrt` when `gradients` are those of `outputs`: vector-Jacobian products, as graph code. A cell's current
 * value is a leaf, whatever was assigned to it; what does not depend on a tensor gives it zeros.
 *
 * @throws when an output's gradient has another shape or dtype than the output, or a tensor holds no real numbers.
 * @example
 * const x = tensor([1, 2, 3]);
 * const y = x.square();
 * const [slope] = vjp([y], [tensor([1, 0, 10])], [x]) as [Tensor];
 * slope; // [2, 0, 60]
 */
export function vjp(outputs: readonly Tensor[], gradients: readonly Tensor[], wrt: readonly Tensor[]): Tensor[] {
  outputs.forEach((output, i) => {
    const seed = gradients[i];
    if (seed === undefined || !sameShape(seed.shape, output.shape) || seed.dtype !== output.dtype) {
      throw new Error(`vjp: output ${i} is ${output}, its gradient is ${seed ?? 'missing'}. They must agree`);
    }
  });
  wrt.forEach(({ dtype, shape }) => {
    if (!isFloat(dtype))
      throw new Error(`grad: ${dtype} ${showShape(shape)} holds no real numbers and has no gradient`);
  });
  const leafOf = leaves();
  const targets = new Set(wrt.map(({ node }) => leafOf(node)));
  const order = topologicalOrder(
    outputs.map(({ node }) => node),
    (node) => node.op === 'cell',
  );
  const connected = new Set<Node>();
  for (const node of order) {
    const flows = (source: Node, i: number) => connected.has(source) && passesGradient(node, i);
    if (targets.has(leafOf(node)) || (node.op !== 'cell' && node.sources.some(flows))) connected.add(node);
  }

  const found = new Map<Node, Tensor>();
  const accumulate = (node: Node, gradient: Tensor) => {
    const leaf = leafOf(node);
    const before = found.get(leaf);
    found.set(leaf, before === undefined ? gradient : before.add(gradient));
  };
  outputs.forEach(({ node }, i) => {
    if (connected.has(node)) accumulate(node, gradients[i] as Tensor);
  });
  for (const node of order.reverse()) {
    const gradient = found.get(node);
    if (gradient === undefined || !connected.has(node) || node.op === 'cell') continue;
    const needed = (i: number) => connected.has(node.sources[i] as Node) && passesGradient(node, i);
    if (!node.sources.some((_, i) => needed(i))) continue;
    const sources = node.sources.map((source) => new Tensor(source));
    const step = { node, gradient, sources, result: new Tensor(node) };
    (rules[node.op] as Rule)(step, needed).forEach((of, i) => {
      if (of !== undefined && needed(i)) accumulate(node.sources[i] as Node, of);
    });
  }
  return wrt.map((tensor) => found.get(leafOf(tensor.node)) ?? filled(tensor.shape, 0, tensor.dtype));
}
