import type { Backend } from '../../kernel/backend.ts';
import { developmentMode, setDevelopmentMode } from '../../runtime/development.ts';
import { cellProgramChecks } from './cell-programs.ts';
import { cellChecks } from './cells.ts';
import { compiledChecks } from './compiled.ts';
import { type ConformanceCase, type ConformanceOptions, createContext } from './context.ts';
import { graphChecks } from './graphs.ts';
import { hostChecks } from './host.ts';
import { primitiveChecks } from './primitives.ts';

export type { ConformanceCase, ConformanceOptions } from './context.ts';

/**
 * The checks that every backend passes, as a list for any test runner or a page: each primitive on drawn shapes and
 * values against the float64 reference with error bounds, random fused graphs, products and convolutions of many sizes,
 * cells, host steps. A failing property prints its seed and its smallest case. The checks change the current backend
 * while they run: run them one after the other.
 *
 * @param createBackend makes the backend under test; called once, at the first check. The last check disposes of it.
 * @example
 * for (const { run } of backendConformance(() => createJsBackend(), { numRuns: 1 }).slice(0, 3)) {
 *   await run(); // in a test runner all of them, each by test(name, run)
 * }
 */
export function backendConformance(
  createBackend: () => Backend | Promise<Backend>,
  options: ConformanceOptions = {},
): ConformanceCase[] {
  let made: Promise<Backend> | undefined;
  const backend = (): Promise<Backend> => {
    made ??= Promise.resolve(createBackend());
    return made;
  };
  const context = createContext(backend, options);
  return [
    ...primitiveChecks(context),
    ...graphChecks(context),
    ...cellChecks(context),
    ...cellProgramChecks(context),
    ...compiledChecks(context),
    ...hostChecks(context),
    { name: 'dispose, before the owners of buffers free them', run: async () => disposeFirst(await backend()) },
  ].map(quiet);
}

/** Programs end in any order: a network may outlive what computed it. */
async function disposeFirst(backend: Backend): Promise<void> {
  const buffer = backend.allocate({ dtype: 'float32', length: 4 });
  await buffer.write(Float32Array.of(1, 2, 3, 4));
  await backend.dispose();
  buffer.free();
}

/** Drawn graphs look to development mode like a program that recompiles at every step. */
function quiet({ name, run }: ConformanceCase): ConformanceCase {
  return {
    name,
    run: async () => {
      const before = developmentMode();
      setDevelopmentMode(false);
      try {
        await run();
      } finally {
        setDevelopmentMode(before);
      }
    },
  };
}
