import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Op } from '../src/graph/node.ts';
import { evaluate } from '../src/graph/reference.ts';
import { tensor } from '../src/index.ts';
import { assertWithin } from '../src/testing/compare.ts';
import { nodeOf } from '../src/testing/conformance/case.ts';
import { primitiveCases } from '../src/testing/conformance/primitive-cases.ts';
import { evaluateBounded } from '../src/testing/error-bound.ts';
import { buildGraph, graphRecipes } from '../src/testing/random-graph.ts';

describe('an executor that rounds every node to float32 stays within the error bounds', () => {
  test.each(Object.keys(primitiveCases) as Op[])('%s', async (op) => {
    const cases = primitiveCases[op];
    if (cases === undefined) return;
    await fc.assert(
      fc.asyncProperty(cases(op, ['float32', 'int32', 'uint32', 'bool']), async (drawn) => {
        const node = nodeOf(drawn);
        const [bounded] = await evaluateBounded([node]);
        assertWithin('rounded', node, evaluate([node], { round: 'float32' })[0]!, bounded!);
      }),
      { numRuns: 60 },
    );
  });

  test('random graphs', async () => {
    let known = 0;
    let all = 0;
    await fc.assert(
      fc.asyncProperty(graphRecipes(), async (recipe) => {
        const { outputs } = buildGraph(recipe);
        const bounded = await evaluateBounded(outputs);
        const rounded = evaluate(outputs, { round: 'float32' });
        outputs.forEach((node, i) => {
          assertWithin('rounded', node, rounded[i]!, bounded[i]!);
          all += bounded[i]!.error.length;
          known += bounded[i]!.error.filter((e, k) => e < 1e-3 * Math.max(1, Math.abs(bounded[i]!.values[k]!))).length;
        });
      }),
      { numRuns: 300 },
    );
    // The bounds must say something: most elements are known to a thousandth.
    expect(known / all).toBeGreaterThan(0.8);
  });
});

test('what takes small numbers for zeros may take either of two as the smaller one', async () => {
  const small = 2 ** -147;
  const { node } = tensor([small, small]).minimum(tensor([0, 1]));
  const [{ values, error } = { values: [], error: [] }] = await evaluateBounded([node], { flushesSubnormals: true });
  expect(Array.from(values)).toEqual([0, small]);
  expect(error[0]).toBeGreaterThanOrEqual(small);
  expect(error[1]).toBeLessThan(2 * small);
});
