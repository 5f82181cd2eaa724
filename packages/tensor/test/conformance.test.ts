import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createJsBackend } from '../src/backend-js/index.ts';
import { evaluate } from '../src/graph/reference.ts';
import type { Backend } from '../src/kernel/backend.ts';
import { currentBackend, setBackend } from '../src/runtime/backend.ts';
import { assertWithin } from '../src/testing/compare.ts';
import { nodeOf, type PrimitiveCase } from '../src/testing/conformance/case.ts';
import { evaluateBounded } from '../src/testing/error-bound.ts';
import { backendConformance, poisoned } from '../src/testing/index.ts';

const backends: Record<string, { create: () => Backend; numRuns: number }> = {
  compiled: { create: () => createJsBackend(), numRuns: 25 },
  interpreted: { create: () => createJsBackend({ interpret: true }), numRuns: 6 },
  'with channels last': { create: () => createJsBackend({ layouts: { conv: 'channels-last' } }), numRuns: 8 },
  poisoned: { create: () => poisoned(createJsBackend()), numRuns: 8 },
};

function forwarded(inner: Backend): Backend {
  return {
    name: inner.name,
    capabilities: inner.capabilities,
    supports: (kernel) => inner.supports(kernel),
    allocate: (value) => inner.allocate(value),
    compile: (plan) => inner.compile(plan),
    run: (executable, call) => inner.run(executable, call),
    dispose: () => inner.dispose(),
  };
}

let executed = 0;

/** Counts what is handed to the backend to run. */
function counting(backend: Backend): Backend {
  return {
    ...forwarded(backend),
    run: (executable, call) => {
      executed += executable.plan.steps.filter(({ kernel }) => kernel.kind !== 'host').length;
      return backend.run(executable, call);
    },
  };
}

describe.each(Object.entries(backends))('plain JavaScript, %s', (_, { create, numRuns }) => {
  const options = { numRuns, executedKernels: () => executed };
  for (const { name, run } of backendConformance(() => counting(create()), options)) test(name, run);
});

describe('the suite notices', () => {
  let before: Backend;
  beforeAll(() => {
    before = currentBackend();
  });
  afterAll(() => {
    setBackend(before);
  });

  /** The JS backend with every result of a run changed by `change`. */
  function spoiled(change: (values: Float32Array | Float64Array) => void): Backend {
    const inner = createJsBackend();
    return {
      ...forwarded(inner),
      run: (executable, call) => {
        const run = inner.run(executable, call);
        const done = run.done.then(async () => {
          for (const buffer of run.outputs) {
            const values = await buffer.read();
            if (values instanceof Float32Array || values instanceof Float64Array) change(values);
            await buffer.write(values);
          }
        });
        return { ...run, done };
      },
    };
  }

  const expectFailure = async (backend: Backend, name: string): Promise<void> => {
    const check = backendConformance(() => backend, { numRuns: 25, seed: 1 }).find((one) => one.name === name);
    await expect(check?.run()).rejects.toThrow(/expected/);
  };

  test('a relative error of a millionth', async () => {
    const slightly = spoiled((values) => values.set(values.map((x) => x * (1 + 1e-6))));
    await expectFailure(slightly, 'primitive add');
    await expectFailure(slightly, 'random graphs');
    await expectFailure(slightly, 'products of many sizes');
  });

  test('a lost NaN', async () => {
    const lossy = spoiled((values) => values.set(values.map((x) => (Number.isNaN(x) ? 0 : x))));
    await expectFailure(lossy, 'primitive max');
  });

  test('one wrong element of a whole number', async () => {
    const twice = { dtype: 'int32', shape: [2], values: [1, 1] } as const;
    const drawn: PrimitiveCase = { op: 'add', sources: [twice, twice], attributes: {} };
    const node = nodeOf(drawn);
    const [bounded] = await evaluateBounded([node]);
    const [exact] = evaluate([node]);
    expect(() => assertWithin('test', node, exact!, bounded!)).not.toThrow();
    expect(() => assertWithin('test', node, [2, 3], bounded!)).toThrow('element 1 is 3, expected 2');
  });
});
