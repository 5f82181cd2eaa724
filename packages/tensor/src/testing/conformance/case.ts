import type { Attributes, Node, Op } from '../../graph/node.ts';
import { createNode } from '../../graph/primitives.ts';
import { type DType, hostArrayFrom } from '../../types/dtype.ts';
import { elementCount, type Shape } from '../../types/shape.ts';
import type { TensorSpec } from '../arbitraries.ts';

/** One primitive on drawn sources, in plain data. */
export interface PrimitiveCase {
  readonly op: Op;
  readonly sources: readonly TensorSpec[];
  readonly attributes: object;
  readonly shape?: Shape;
  readonly dtype?: DType;
}

/** A leaf with the drawn values. */
export function leafOf({ dtype, shape, values }: TensorSpec): Node<'buffer'> {
  const host = hostArrayFrom(dtype, values);
  return createNode('buffer', [], { storage: { dtype, length: elementCount(shape), host } }, { shape, dtype });
}

/** The node that a case describes. */
export function nodeOf({ op, sources, attributes, shape, dtype }: PrimitiveCase): Node {
  const wanted = { ...(shape && { shape }), ...(dtype && { dtype }) };
  return createNode(op, sources.map(leafOf), attributes as Attributes[Op], wanted);
}
