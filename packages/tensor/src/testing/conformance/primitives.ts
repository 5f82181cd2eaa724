import type { Op } from '../../graph/node.ts';
import { nodeOf } from './case.ts';
import type { ConformanceCase, Context } from './context.ts';
import { primitiveCases } from './primitive-cases.ts';

/** Every primitive over drawn shapes and values against its float64 reference. */
export function primitiveChecks(context: Context): ConformanceCase[] {
  return (Object.keys(primitiveCases) as Op[]).flatMap((op) => {
    const cases = primitiveCases[op];
    if (cases === undefined) return [];
    const run = async (): Promise<void> => {
      const dtypes = await context.dtypes();
      await context.property(cases(op, dtypes), async (drawn) => {
        await context.check('alone', [nodeOf(drawn)]);
      });
    };
    return [{ name: `primitive ${op}`, run }];
  });
}
