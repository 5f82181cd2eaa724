import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Node, rawNode } from '../src/graph/node.ts';
import { programOrder } from '../src/schedule/program-order.ts';

/** Nodes made one after the other, each of some of those before it; numbers go on by `gap` in between. */
function graph(picks: readonly (readonly number[])[], gap: number): Node[] {
  const nodes: Node[] = [];
  for (const pick of picks) {
    for (let i = 0; i < gap; i++) rawNode('neg', [], {}, [], 'float32');
    const sources = nodes.length === 0 ? [] : pick.map((number) => nodes[number % nodes.length] as Node);
    nodes.push(rawNode('concat', sources, { axis: 0 }, [], 'float32'));
  }
  return nodes;
}

const picks = fc.array(fc.array(fc.nat(1000), { maxLength: 3 }), { minLength: 1, maxLength: 40 });
const roots = fc.array(fc.nat(1000), { minLength: 1, maxLength: 4 });

test('has what roots depend on, each once, in the order of making; also nodes made long ago', () => {
  fc.assert(
    // Numbers of neighbours are up to 3000 apart: 40 of them leave the window of 65536.
    fc.property(picks, roots, fc.constantFrom(0, 3, 3000), fc.nat(40), (chosen, wanted, gap, leaf) => {
      const all = graph(chosen, gap);
      const from = wanted.map((number) => all[number % all.length] as Node);
      const isLeaf = (node: Node): boolean => node === all[leaf];
      const expected = new Set<Node>();
      const visit = (node: Node): void => {
        expected.add(node);
        if (!isLeaf(node)) node.sources.forEach(visit);
      };
      from.forEach(visit);
      const { nodes, placeOf } = programOrder(from, isLeaf);
      expect(nodes).toEqual(all.filter((node) => expected.has(node)));
      nodes.forEach((node, place) => {
        expect(placeOf(node)).toBe(place);
      });
    }),
  );
});
