import type { HostFunction, Node } from '../../graph/node.ts';
import { createNode } from '../../graph/primitives.ts';
import { readNodes } from '../../runtime/realize.ts';
import { type HostArray, hostArrayFrom } from '../../types/dtype.ts';
import { seededLeaf } from '../seeded.ts';
import { assert, type ConformanceCase, type Context } from './context.ts';

function hostNode(name: string, run: HostFunction, sources: readonly Node[], shape: readonly number[]): Node {
  return createNode('host', sources, { name, run }, { shape, dtype: 'float32' });
}

/** Host steps between kernels: their inputs, their order, their failures. */
export function hostChecks(context: Context): ConformanceCase[] {
  return [
    {
      name: 'host steps between kernels',
      run: async () => {
        const reversed: HostFunction = async ([x]) => {
          await Promise.resolve();
          return hostArrayFrom('float32', [...(x as HostArray)].reverse());
        };
        const x = createNode('add', [seededLeaf('float32', [3, 4], 1), seededLeaf('float32', [3, 4], 2)], {});
        const turned = createNode('permute', [x], { order: [1, 0] });
        const middle = hostNode('reversed', reversed, [turned], [4, 3]);
        const after = createNode('mul', [middle, turned], {});
        const again = hostNode('reversed', reversed, [after], [4, 3]);
        await context.check('host', [createNode('sin', [again], {}), after, turned]);
      },
    },
    {
      name: 'a host step that fails makes the run fail, and the next run works',
      run: () =>
        context.using(async () => {
          const x = seededLeaf('float32', [2], 1);
          const broken: HostFunction = async () => {
            throw new Error('no such luck');
          };
          const outcome = await readNodes([hostNode('broken', broken, [x], [2])]).then(
            () => 'a result',
            (error: Error) => error.message,
          );
          assert(outcome.includes('no such luck'), `expected the step's error, got ${outcome}`);
          const [sum] = await readNodes([createNode('add', [x, x], {})]);
          assert((sum as HostArray).length === 2, 'the run after a failure gave nothing');
        }),
    },
  ];
}
