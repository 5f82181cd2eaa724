import type { Node } from '../graph/node.ts';
import { createNode } from '../graph/primitives.ts';
import { threefry } from '../graph/reference/threefry.ts';
import { type DType, hostArrayFrom, isFloat } from '../types/dtype.ts';
import { elementCount, type Shape } from '../types/shape.ts';

/** Numbers that depend on the seed alone, in -2 ... 2 for floats, 0 ... 1 for bools and -9 ... 9 for whole numbers. */
export function seededValues(dtype: DType, count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const share = threefry([seed, 0], [i, 0])[0] / 2 ** 32;
    if (isFloat(dtype)) return Math.fround(4 * share - 2);
    if (dtype === 'bool') return Number(share < 0.5);
    return dtype === 'uint32' ? Math.floor(10 * share) : Math.floor(19 * share) - 9;
  });
}

/** A leaf of {@link seededValues}. */
export function seededLeaf(dtype: DType, shape: Shape, seed: number): Node<'buffer'> {
  const length = elementCount(shape);
  const host = hostArrayFrom(dtype, seededValues(dtype, length, seed));
  return createNode('buffer', [], { storage: { dtype, length, host } }, { shape, dtype });
}
