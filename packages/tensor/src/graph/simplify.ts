import { elementCount, sameShape } from '../types/shape.ts';
import type { Node, Op } from './node.ts';
import { isOp, rawNode } from './node.ts';
import { represent } from './reference/rounding.ts';
import { KeyWriter, writeStructure } from './structure-key.ts';

/**
 * Rewrites graphs into equal, smaller ones: common subexpressions are merged, identities vanish, movements compose.
 * Values of non-structural constants are never looked at, so a program's structure does not depend on them.
 * Float arithmetic is only simplified where IEEE results are unchanged (up to the sign of zero).
 */
export class Simplifier {
  readonly #done = new Map<Node, Node>();
  readonly #known = new Map<string, Node>();
  readonly #identities = new Map<object, number>();
  readonly #isLeaf: (node: Node) => boolean;
  readonly #writer = new KeyWriter();

  /** `isLeaf` says which cell nodes are read from their buffer; others stand for their source. */
  constructor(isLeaf: (node: Node) => boolean) {
    this.#isLeaf = isLeaf;
  }

  /** Rewrites nodes given in an order where sources come before users. */
  run(ordered: readonly Node[]): void {
    for (const node of ordered) this.#done.set(node, this.#rewrite(node));
  }

  /** Whether a node was part of a run. */
  has(node: Node): boolean {
    return this.#done.has(node);
  }

  /** What a node of the run became. */
  of(node: Node): Node {
    const result = this.#done.get(node);
    if (!result) throw new Error(`simplify: node ${node.id} (${node.op}) was not part of the run`);
    return result;
  }

  #rewrite(node: Node): Node {
    // A version that was committed after the node was made is a leaf, though the node knows its source.
    if (node.op === 'cell') return this.#isLeaf(node) ? this.#merge(node) : this.of(node.sources[0] as Node);
    if (node.sources.length === 0) return this.#merge(node);
    const sources = node.sources.map((source) => this.of(source));
    const rebuilt = sources.every((source, i) => source === node.sources[i])
      ? node
      : rawNode(node.op, sources, node.attributes, node.shape, node.dtype);
    const simpler = simplifyNode(rebuilt);
    return simpler === rebuilt ? this.#merge(rebuilt) : this.#settle(simpler);
  }

  /** New nodes made by a rule are themselves simplified and merged. */
  #settle(node: Node): Node {
    const known = this.#done.get(node);
    if (known) return known;
    const sources = node.sources.map((source) => this.#settle(source));
    const rebuilt = sources.every((source, i) => source === node.sources[i])
      ? node
      : rawNode(node.op, sources, node.attributes, node.shape, node.dtype);
    const simpler = node.sources.length === 0 ? rebuilt : simplifyNode(rebuilt);
    const result = simpler === rebuilt ? this.#merge(rebuilt) : this.#settle(simpler);
    this.#done.set(node, result);
    this.#done.set(result, result);
    return result;
  }

  #merge(node: Node): Node {
    const key = this.#key(node);
    if (key === undefined) {
      this.#done.set(node, node);
      return node;
    }
    const known = this.#known.get(key);
    if (known) return known;
    this.#known.set(key, node);
    this.#done.set(node, node);
    return node;
  }

  #key(node: Node): string | undefined {
    if (node.op === 'barrier' || node.op === 'host' || node.op === 'custom') return undefined;
    if (isOp(node, 'constant') && !node.attributes.structural) return undefined;
    const key = this.#writer;
    writeStructure(key, node);
    if (isOp(node, 'constant')) key.real(node.attributes.value);
    else if (isOp(node, 'argument')) key.whole(node.attributes.index);
    else if (isOp(node, 'buffer')) key.whole(this.#identity(node.attributes.storage));
    else if (isOp(node, 'cell')) key.wholes([node.attributes.cell.id, node.attributes.version]);
    if (node.op !== 'cell') for (const source of node.sources) key.whole(source.id);
    return key.take();
  }

  #identity(object: object): number {
    let id = this.#identities.get(object);
    if (id === undefined) {
      id = this.#identities.size;
      this.#identities.set(object, id);
    }
    return id;
  }
}

/** The number that every element of `node` is known to be, from structural constants alone. */
export function constantValue(node: Node): number | undefined {
  let current = node;
  while (current.op === 'expand' || current.op === 'reshape' || current.op === 'permute')
    current = current.sources[0] as Node;
  return isOp(current, 'constant') && current.attributes.structural ? current.attributes.value : undefined;
}

/** A structural constant of any shape. */
export function filled(value: number, like: Node): Node {
  const scalar = rawNode('constant', [], { value, structural: true }, [], like.dtype);
  if (like.shape.length === 0) return scalar;
  const ones = rawNode(
    'reshape',
    [scalar],
    {},
    like.shape.map(() => 1),
    like.dtype,
  );
  return elementCount(like.shape) === 1 && like.shape.every((size) => size === 1)
    ? ones
    : rawNode('expand', [ones], {}, like.shape, like.dtype);
}

type Rewrite = (node: Node) => Node | undefined;

const source = (node: Node): Node => node.sources[0] as Node;

const foldable: Partial<Record<Op, (a: number, b: number) => number>> = {
  neg: (a) => -a,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
};

/** Float constants fold in double and are rounded once more where the dtype is narrower. */
function fold(node: Node): Node | undefined {
  const rule = foldable[node.op];
  if (!rule || node.dtype === 'int32' || node.dtype === 'uint32') return undefined;
  const values = node.sources.map(constantValue);
  if (values.some((value) => value === undefined)) return undefined;
  const value = rule(values[0] as number, values[1] as number);
  return filled(represent(node.dtype, value), node);
}

function identityOn(neutral: number, sides: 'right' | 'both'): Rewrite {
  return (node) => {
    const [left, right] = node.sources as [Node, Node];
    if (constantValue(right) === neutral) return left;
    if (sides === 'both' && constantValue(left) === neutral) return right;
    return undefined;
  };
}

const composePermute: Rewrite = (node) => {
  if (!isOp(node, 'permute')) return undefined;
  const { order } = node.attributes;
  if (order.every((axis, i) => axis === i)) return source(node);
  const inner = source(node);
  if (!isOp(inner, 'permute')) return undefined;
  const composed = order.map((axis) => inner.attributes.order[axis] as number);
  return rawNode('permute', [source(inner)], { order: composed }, node.shape, node.dtype);
};

const powers: Rewrite = (node) => {
  const [base, exponent] = node.sources as [Node, Node];
  const value = constantValue(exponent);
  if (value === 1) return base;
  if (value === 2) return rawNode('mul', [base, base], {}, node.shape, node.dtype);
  return undefined;
};

const vanishing: Rewrite = (node) => (sameShape(node.shape, source(node).shape) ? source(node) : undefined);

const rules: Partial<Record<Op, Rewrite>> = {
  add: identityOn(0, 'both'),
  sub: identityOn(0, 'right'),
  mul: identityOn(1, 'both'),
  div: identityOn(1, 'right'),
  pow: powers,
  neg: (node) => (source(node).op === 'neg' ? source(source(node)) : undefined),
  cast: (node) => (source(node).dtype === node.dtype ? source(node) : undefined),
  detach: source,
  custom: source,
  expand: (node) => {
    if (sameShape(node.shape, source(node).shape)) return source(node);
    return source(node).op === 'expand'
      ? rawNode('expand', [source(source(node))], {}, node.shape, node.dtype)
      : undefined;
  },
  reshape: (node) => {
    if (sameShape(node.shape, source(node).shape)) return source(node);
    return source(node).op === 'reshape'
      ? rawNode('reshape', [source(source(node))], {}, node.shape, node.dtype)
      : undefined;
  },
  permute: composePermute,
  pad: vanishing,
  slice: (node) =>
    isOp(node, 'slice') && sameShape(node.shape, source(node).shape) && node.attributes.step.every((s) => s === 1)
      ? source(node)
      : undefined,
  flip: (node) =>
    isOp(node, 'flip') && node.attributes.axes.every((axis) => (node.shape[axis] as number) <= 1)
      ? source(node)
      : undefined,
  reduce: (node) =>
    isOp(node, 'reduce') && node.attributes.axes.every((axis) => source(node).shape[axis] === 1)
      ? source(node)
      : undefined,
  concat: (node) => {
    if (!isOp(node, 'concat')) return undefined;
    const kept = node.sources.filter((part) => elementCount(part.shape) > 0);
    if (kept.length === 1) return kept[0];
    return kept.length > 0 && kept.length < node.sources.length
      ? rawNode('concat', kept, node.attributes, node.shape, node.dtype)
      : undefined;
  },
  where: (node) => {
    const condition = constantValue(node.sources[0] as Node);
    if (condition !== undefined) return node.sources[condition ? 1 : 2];
    return node.sources[1] === node.sources[2] ? node.sources[1] : undefined;
  },
};

function simplifyNode(node: Node): Node {
  return fold(node) ?? rules[node.op]?.(node) ?? node;
}
