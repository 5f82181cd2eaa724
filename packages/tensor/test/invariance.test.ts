import fc from 'fast-check';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { isOp, type Node, rawNode, topologicalOrder } from '../src/graph/node.ts';
import { createNode } from '../src/graph/primitives.ts';
import { setDevelopmentMode } from '../src/runtime/development.ts';
import { pinNodes, readNodes } from '../src/runtime/realize.ts';
import { disposeNode } from '../src/runtime/storage.ts';
import { assertWithin } from '../src/testing/compare.ts';
import { evaluateBounded } from '../src/testing/error-bound.ts';
import { buildGraph, graphRecipes } from '../src/testing/index.ts';
import type { HostArray } from '../src/types/dtype.ts';

// Drawn graphs make a plan each, of which development mode would warn.
beforeAll(() => setDevelopmentMode(false));
afterAll(() => setDevelopmentMode(true));

/** `roots` with some nodes exchanged for others of the same meaning. */
function substitute(roots: readonly Node[], replaced: ReadonlyMap<Node, Node>): Node[] {
  const made = new Map<Node, Node>(replaced);
  for (const node of topologicalOrder(roots)) {
    if (made.has(node)) continue;
    const sources = node.sources.map((source) => made.get(source) as Node);
    const same = sources.every((source, i) => source === node.sources[i]);
    made.set(node, same ? node : rawNode(node.op, sources, node.attributes, node.shape, node.dtype));
  }
  return roots.map((root) => made.get(root) as Node);
}

async function hold(what: string, nodes: readonly Node[], values: readonly HostArray[]): Promise<void> {
  const bounded = await evaluateBounded(nodes);
  nodes.forEach((node, i) => {
    assertWithin(what, node, values[i]!, bounded[i]!);
  });
}

describe('what is computed together changes nothing beyond the stated rounding', () => {
  test('random realize points', async () => {
    await fc.assert(
      fc.asyncProperty(
        graphRecipes(),
        fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 3 }),
        async (recipe, points) => {
          const { nodes, outputs } = buildGraph(recipe);
          const middle = [...new Set(points.map((point) => nodes[point % nodes.length]!))].filter(
            (node) => !isOp(node, 'buffer'),
          );
          const pinned = await pinNodes(middle);
          const cut = substitute(outputs, new Map(middle.map((node, i) => [node, pinned[i]!])));
          const values = await readNodes(cut);
          pinned.forEach(disposeNode);
          await hold('cut', outputs, values);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('random batching of outputs', async () => {
    await fc.assert(
      fc.asyncProperty(
        graphRecipes(),
        fc.array(fc.nat({ max: 11 }), { minLength: 2, maxLength: 5 }),
        fc.nat(),
        async (recipe, picks, cut) => {
          const { nodes } = buildGraph(recipe);
          const chosen = picks.map((pick) => nodes[pick % nodes.length]!);
          const at = cut % chosen.length;
          const parts = [await readNodes(chosen.slice(0, at)), await readNodes(chosen.slice(at))];
          await hold('batched', chosen, parts.flat());
        },
      ),
      { numRuns: 60 },
    );
  });

  test('work that nobody reads', async () => {
    await fc.assert(
      fc.asyncProperty(graphRecipes(), async (recipe) => {
        const { outputs } = buildGraph(recipe);
        const unused = outputs.map((node) => createNode('detach', [node], {}));
        await hold('beside', outputs, (await readNodes([...outputs, ...unused])).slice(0, outputs.length));
      }),
      { numRuns: 30 },
    );
  });
});
