import type { Backend, Run } from '@evenkeel/tensor';
import { createJsBackend } from '../src/backend-js/index.ts';

/** A backend that counts what it is asked to do, and can be held up or made to fail. */
export interface Observed {
  readonly backend: Backend;
  /** Descriptions of the steps of every run, in order. */
  readonly runs: number[];
  allocations: number;
  /** Runs given and not done. */
  underWay: number;
  mostUnderWay: number;
  /** While set, runs are done only after this promise. */
  gate: Promise<void> | undefined;
  /** While set, runs fail with it. */
  fault: Error | undefined;
}

export function observe(inner: Backend = createJsBackend()): Observed {
  const observed: Observed = {
    backend: {
      name: `observed ${inner.name}`,
      capabilities: inner.capabilities,
      supports: (kernel) => inner.supports(kernel),
      allocate(value) {
        observed.allocations++;
        return inner.allocate(value);
      },
      compile: (plan) => inner.compile(plan),
      run(executable, call): Run {
        observed.runs.push(executable.plan.steps.length);
        observed.underWay++;
        observed.mostUnderWay = Math.max(observed.mostUnderWay, observed.underWay);
        const run = inner.run(executable, call);
        const { gate, fault } = observed;
        const done = run.done.then(async () => {
          await gate;
          if (fault !== undefined) throw fault;
        });
        const over = () => {
          observed.underWay--;
        };
        done.then(over, over);
        return { ...run, done };
      },
      dispose: () => inner.dispose(),
    },
    runs: [],
    allocations: 0,
    underWay: 0,
    mostUnderWay: 0,
    gate: undefined,
    fault: undefined,
  };
  return observed;
}
