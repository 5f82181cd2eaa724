import { explain } from '../../debug/explain.ts';
import type { Node } from '../../graph/node.ts';
import { createNode } from '../../graph/primitives.ts';
import { Cell } from '../../runtime/cell.ts';
import { CompiledProgram } from '../../runtime/compile.ts';
import { readNodes } from '../../runtime/realize.ts';
import { disposeNode } from '../../runtime/storage.ts';
import type { HostArray } from '../../types/dtype.ts';
import { buildGraph, graphRecipes } from '../random-graph.ts';
import { seededLeaf, seededValues } from '../seeded.ts';
import { assert, type ConformanceCase, type Context } from './context.ts';

const shape = [3, 4];

function spread(scalar: Node): Node {
  return createNode('expand', [createNode('reshape', [scalar], {}, { shape: [1, 1] })], {}, { shape });
}

/** total += x * rate; gives the sine of the new total. */
async function replay(): Promise<void> {
  const total = new Cell({ path: 'total', shape, dtype: 'float32', value: new Float32Array(12) });
  const program = CompiledProgram.trace({
    argumentCount: 1,
    tensorInputs: [{ shape, dtype: 'float32' }],
    build: ({ numbers: [rate], inputs: [x] }) => {
      const step = createNode('mul', [x as Node, spread(rate as Node)], {});
      total.assign(createNode('add', [total.node, step], {}));
      return [createNode('sin', [total.node], {})];
    },
  });
  const expected = new Float64Array(12);
  for (let call = 1; call <= 4; call++) {
    const rate = 0.3 * call;
    const results = await program.run({ numbers: [rate], inputs: [seededLeaf('float32', shape, call)] });
    seededValues('float32', 12, call).forEach((x, i) => {
      expected[i] = (expected[i] as number) + x * rate;
    });
    const [sine, now] = (await readNodes([results[0] as Node, total.node])) as [HostArray, HostArray];
    results.forEach(disposeNode);
    expected.forEach((value, i) => {
      const near =
        Math.abs((now[i] as number) - value) < 1e-5 && Math.abs((sine[i] as number) - Math.sin(value)) < 1e-5;
      assert(
        near,
        `call ${call}, element ${i}: total ${now[i]}, sine ${sine[i]}, expected ${value} and ${Math.sin(value)}`,
      );
    });
  }
  total.dispose();
}

/** Functions traced once and called with new numbers and tensors; kernels that really ran on the device. */
export function compiledChecks(context: Context): ConformanceCase[] {
  const { executedKernels } = context.options;
  const counted: ConformanceCase = {
    name: 'the kernels that ran are those that explain lists',
    run: () =>
      context.property(graphRecipes(), (recipe) =>
        context.using(async () => {
          const { outputs } = buildGraph(recipe);
          const listed = explain(...outputs).steps.filter(
            ({ kind, refused }) => kind !== 'host' && refused === undefined,
          );
          const before = executedKernels?.() ?? 0;
          await readNodes(outputs);
          const ran = (executedKernels?.() ?? 0) - before;
          assert(ran === listed.length, `${ran} kernels ran on the device, explain lists ${listed.length}`);
        }),
      ),
  };
  return [
    { name: 'a traced function called again and again', run: () => context.using(replay) },
    ...(executedKernels === undefined ? [] : [counted]),
  ];
}
