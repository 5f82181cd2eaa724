import type { Expr, Index, StridedRead } from '../kernel/ir.ts';
import { visitExprs } from '../kernel/walk.ts';
import type { Shape } from '../types/shape.ts';

/** The one load of an expression over `shape`'s axes that reads a different element at each position, by strides alone. */
export function stridedRead(root: Expr, shape: Shape): StridedRead | undefined {
  const found = new Map<string, StridedRead>();
  let isPlain = true;
  visitExprs([root], (expr) => {
    if (expr.kind === 'load') {
      const strides = shape.map(() => 0);
      const offset = addStrides(expr.index, 1, strides);
      if (offset === undefined || expr.guards.length > 0) isPlain = false;
      else if (shape.every((size, axis) => size === 1 || strides[axis] !== 0)) {
        found.set(`${expr.operand} ${offset} ${strides}`, { operand: expr.operand, offset, strides });
      }
    }
    return undefined;
  });
  const [read, ...others] = found.values();
  return isPlain && others.length === 0 ? read : undefined;
}

/** Adds `index * by` to the strides; gives the constant part, or undefined where there is more than strides. */
function addStrides(index: Index, by: number, strides: number[]): number | undefined {
  switch (index.kind) {
    case 'literal':
      return index.value * by;
    case 'axis':
      strides[index.axis] = (strides[index.axis] as number) + by;
      return 0;
    case 'mul':
      return addStrides(index.left, by * index.by, strides);
    case 'add': {
      const left = addStrides(index.left, by, strides);
      const right = addStrides(index.right, by, strides);
      return left === undefined || right === undefined ? undefined : left + right;
    }
    default:
      return undefined;
  }
}
