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
  const put = (node: Node, order: readonly number[] = channelsLast): void => {
    const isImage = node.shape.length === 4 && stored.has(node) && !external.has(node);
    if (isImage && node.op !== 'scatterAdd' && node.op !== 'host') layouts.set(node, order);
  };
  for (const { members } of clusters) {
    const [first] = members as [Node];
    if (!isOp(first, 'conv') || first.attributes.role === 'weightGradient') continue;
    for (const member of members) if (sameShape(member.shape, first.shape)) put(member);
    const { node, order } = behindMovements(first.sources[0] as Node);
    put(node, order);
  }
  // Elementwise work next to an image keeps its order.
  for (const { kind, shape, members } of clusters) {
    if (kind !== 'row') continue;
    const order = members
      .flatMap((member) => [member, ...member.sources])
      .map((node) => layouts.get(node))
      .find((known) => known !== undefined);
    if (!order) continue;
    for (const member of members) if (sameShape(member.shape, shape) && !layouts.has(member)) put(member, order);
  }
  return layouts;
}

const channelsLast: readonly number[] = [0, 2, 3, 1];

/** What a convolution reads through movements, and the order in which its images are channels-last. */
function behindMovements(image: Node): { node: Node; order: readonly number[] } {
  let [node, order] = [image, channelsLast];
  while (movements.has(node.op) && node.op !== 'gather' && node.shape.length === 4) {
    if (isOp(node, 'permute')) {
      const { order: axes } = node.attributes;
      order = order.map((axis) => axes[axis] as number);
    }
    node = node.sources[0] as Node;
  }
  return { node, order };
}
