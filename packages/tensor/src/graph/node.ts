import type { DType, HostArray } from '../types/dtype.ts';
import type { Shape } from '../types/shape.ts';

/** Where a leaf's values live. Host data is given at birth; what a device holds, the runtime knows. */
export interface Storage {
  readonly dtype: DType;
  readonly length: number;
  /** The values, when they live on the host (row-major, never written by us). */
  readonly host?: HostArray;
}

/** A cell as the graph sees it: an identity and a name for messages. */
export interface CellIdentity {
  readonly id: number;
  readonly path: string;
}

export type UnaryOp =
  | 'neg' | 'abs' | 'sign' | 'floor' | 'ceil' | 'round'
  | 'exp' | 'log' | 'sqrt' | 'sin' | 'cos' | 'tanh' | 'erf' | 'sigmoid' | 'not'; // biome-ignore format: one line a family
export type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'floorDiv' | 'mod' | 'pow' | 'max' | 'min';
export type CompareOp = 'equal' | 'notEqual' | 'less' | 'lessEqual';
export type ReduceKind = 'sum' | 'max' | 'min' | 'prod';

/** How a convolution's axes move; spatial lists have one entry an axis. */
export interface ConvAttributes {
  readonly stride: readonly number[];
  /** Zeros before and after each spatial axis; negative values crop. */
  readonly padding: readonly (readonly [low: number, high: number])[];
  /** Spacing of the kernel's taps. */
  readonly dilation: readonly number[];
  /** Zeros put between the input's elements (a transposed convolution's stride). */
  readonly inputDilation: readonly number[];
  readonly groups: number;
  /** What the convolution is for: backends pick algorithms by it, its meaning is the same. */
  readonly role: 'forward' | 'inputGradient' | 'weightGradient';
}

type None = Readonly<Record<never, never>>;

/** Attributes of each primitive; together with sources, shape and dtype they are the node's meaning. */
export interface Attributes extends Record<UnaryOp | BinaryOp | CompareOp, None> {
  /**
   * A scalar. Structural ones are part of the program's structure (literals in kernels, folded by simplification);
   * others, such as learning rates and random keys, are launch arguments and never cause a new plan.
   */
  constant: { readonly value: number; readonly structural: boolean };
  /** Values held by the host or a device, row-major. */
  buffer: { readonly storage: Storage };
  /** One version of a cell's value; its source, where present, is the value assigned and not yet committed. */
  cell: { readonly cell: CellIdentity; readonly version: number };
  /** A number given at each call of a compiled function. */
  argument: { readonly index: number };
  /** 0, 1, 2 ... along one axis. */
  iota: { readonly axis: number };
  /** Threefry-2x32 of (element number, stream) under a key; sources: two key words and the stream, uint32 scalars. */
  randomBits: None;
  where: None;
  cast: None;
  /** Reduced axes stay, with size 1. */
  reduce: { readonly kind: ReduceKind; readonly axes: readonly number[] };
  /** Inclusive running reduction along one axis. */
  scan: { readonly kind: 'sum' | 'prod' | 'max' | 'min'; readonly axis: number; readonly reverse: boolean };
  reshape: None;
  /** Output axis i is input axis order[i]. */
  permute: { readonly order: readonly number[] };
  /** Axes of size 1 repeat to the node's shape; rank is unchanged. */
  expand: None;
  pad: { readonly low: readonly number[]; readonly high: readonly number[]; readonly value: number };
  /** Elements start, start + step ... of each axis; steps are positive. */
  slice: { readonly start: readonly number[]; readonly step: readonly number[] };
  flip: { readonly axes: readonly number[] };
  concat: { readonly axis: number };
  /** [...batch, m, k] x [...batch, k, n], batch axes equal. */
  matmul: None;
  /** [N, C, ...spatial] with [O, C / groups, ...kernel]; correlation, as the field means it. */
  conv: ConvAttributes;
  /** Sources x and integer indices of any rank: `indices.shape` replaces `axis`. Indices out of range read 0. */
  gather: { readonly axis: number };
  /** Sources base, integer indices [n], updates (n at `axis`): sums in index order; out-of-range indices are dropped. */
  scatterAdd: { readonly axis: number };
  /** Identity without gradient. */
  detach: None;
  /** Identity on source 0 that no simplification merges with another, run after the other sources are computed. */
  barrier: None;
  /** Identity on source 0; gradients go to the other sources by a rule of the user's. */
  custom: { readonly name: string; readonly rule: unknown };
  /** An asynchronous host function of the sources' values. */
  host: { readonly name: string; readonly run: HostFunction };
}

/** Runs between kernels: gets row-major host arrays (and the launch arguments, if it stands for a kernel), returns the result's. */
export type HostFunction = (
  inputs: readonly HostArray[],
  launchArguments: Float64Array,
) => Promise<HostArray> | HostArray;

export type Op = keyof Attributes;

/** An immutable step of a computation. Nodes own nothing: dropping them frees them. */
export interface Node<O extends Op = Op> {
  readonly id: number;
  readonly op: O;
  readonly sources: readonly Node[];
  readonly attributes: Attributes[O];
  readonly shape: Shape;
  readonly dtype: DType;
}

let nextId = 1;

/** A node as given; `createNode` in primitives.ts checks and infers first. */
export function rawNode<O extends Op>(
  op: O,
  sources: readonly Node[],
  attributes: Attributes[O],
  shape: Shape,
  dtype: DType,
): Node<O> {
  return { id: nextId++, op, sources, attributes, shape, dtype };
}

/** Whether `node` is of op `op`, narrowing its attributes. */
export function isOp<O extends Op>(node: Node, op: O): node is Node<O> {
  return node.op === op;
}

/** Every node that `roots` depend on, sources before users; each once. `stop` cuts below a node. */
export function topologicalOrder(roots: readonly Node[], stop?: (node: Node) => boolean): Node[] {
  const order: Node[] = [];
  const visited = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  for (const root of roots) {
    if (visited.has(root)) continue;
    visited.add(root);
    stack.push({ node: root, next: stop?.(root) ? Number.POSITIVE_INFINITY : 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as { node: Node; next: number };
      const source = top.node.sources[top.next++];
      if (source === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (!visited.has(source)) {
        visited.add(source);
        stack.push({ node: source, next: stop?.(source) ? Number.POSITIVE_INFINITY : 0 });
      }
    }
  }
  return order;
}
