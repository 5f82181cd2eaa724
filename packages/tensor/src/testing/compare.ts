import type { Node } from '../graph/node.ts';
import { showShape } from '../types/shape.ts';
import type { Bounded } from './error-bound.ts';

/**
 * Holds what a backend computed for `node` to exact values with error bounds: whole numbers and bools exactly, NaN as
 * NaN, infinities as themselves.
 *
 * @throws naming the worst element.
 * @example
 * const { node } = tensor([0.1, 0.2]).sum();
 * const [exact] = await evaluateBounded([node]) as [Bounded];
 * assertWithin('my backend', node, [Math.fround(0.3)], exact);
 */
export function assertWithin(
  what: string,
  node: Node,
  got: ArrayLike<number>,
  { values, error }: Bounded,
  factor = 2,
): void {
  if (got.length !== values.length) {
    throw new Error(
      `${what}: ${node.op} ${showShape(node.shape)} gave ${got.length} elements instead of ${values.length}`,
    );
  }
  let worst = -1;
  let worstRatio = 1;
  for (let i = 0; i < values.length; i++) {
    const [want, have] = [values[i] as number, got[i] as number];
    const slack = factor * (error[i] as number);
    if (want === have || slack === Number.POSITIVE_INFINITY || (Number.isNaN(want) && Number.isNaN(have))) continue;
    const gap = Math.abs(want - have);
    const ratio = gap <= slack ? 0 : gap / slack;
    if (Number.isNaN(ratio) || ratio > worstRatio) {
      worst = i;
      worstRatio = Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio;
    }
  }
  if (worst < 0) return;
  throw new Error(
    `${what}: ${node.op} ${node.dtype} ${showShape(node.shape)}, element ${worst} is ${got[worst]}, expected ${values[worst]} within ${factor * (error[worst] as number)}`,
  );
}
