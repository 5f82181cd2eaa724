import type { Node } from '../graph/node.ts';
import { isOp } from '../graph/node.ts';
import { movements } from '../kernel/cost.ts';
import { sameShape } from '../types/shape.ts';
import type { Fusion } from './fuse.ts';

/** Physical order of axes (slowest first) of the stored nodes that are not row-major. */
export type Layouts = ReadonlyMap<Node, readonly number[]>;

/**
 * Chooses channels-last storage for the images between convolutions. What users see or own (inputs, outputs, cells)
 * stays row-major; index maps absorb the difference.
 */
export function chooseLayouts(
  { clusters, stored }: Fusion,
  external: ReadonlySet<Node>,
  conv: 'channels-last' | undefined,
): Layouts {
  const layouts = new Map<Node, readonly number[]>();
  if (conv !== 'channels-last') return layouts;
  const put = (node: Node): void => {
    const isImage = node.shape.length === 4 && stored.has(node) && !external.has(node);
    if (isImage && node.op !== 'scatterAdd' && node.op !== 'host') layouts.set(node, [0, 2, 3, 1]);
  };
  for (const { members } of clusters) {
    const [first] = members as [Node];
    if (!isOp(first, 'conv') || first.attributes.role === 'weightGradient') continue;
    for (const member of members) if (sameShape(member.shape, first.shape)) put(member);
    put(behindMovements(first.sources[0] as Node));
  }
  // Elementwise work next to an image keeps its order.
  for (const { kind, shape, members } of clusters) {
    if (
      kind === 'row' &&
      members.some((member) => layouts.has(member) || member.sources.some((source) => layouts.has(source)))
    ) {
      for (const member of members) if (sameShape(member.shape, shape)) put(member);
    }
  }
  return layouts;
}

function behindMovements(node: Node): Node {
  let current = node;
  while (movements.has(current.op) && current.op !== 'gather' && current.shape.length === 4)
    current = current.sources[0] as Node;
  return current;
}
