import type { Backend, Executable } from '../kernel/backend.ts';
import type { RowKernel } from '../kernel/ir.ts';
import type { Plan, PlanValue, Step } from '../kernel/plan.ts';
import type { DType } from '../types/dtype.ts';

/** What no result may depend on: NaN, a conspicuous whole number, true. */
function poisonOf(dtype: DType): number {
  return dtype === 'bool' ? 1 : dtype === 'int32' || dtype === 'uint32' ? 195_935_983 : Number.NaN;
}

function fill(value: PlanValue, operand: number): Step {
  const kernel: RowKernel = {
    kind: 'row',
    operands: [{ dtype: value.dtype, access: 'out' }],
    arguments: [],
    outer: [value.length],
    inner: [],
    stages: [
      {
        kind: 'store',
        domain: 'row',
        store: {
          operand: 0,
          index: { kind: 'axis', axis: 0 },
          value: { kind: 'literal', dtype: value.dtype, value: poisonOf(value.dtype) },
        },
      },
    ],
  };
  return { kernel, operands: [operand], arguments: [], flops: 0, bytes: 0 };
}

/** The plan with a step before each first write that fills the value with poison. */
function poisonPlan(plan: Plan): Plan {
  const steps: Step[] = [];
  const began: number[] = [];
  plan.steps.forEach((step, number) => {
    began.push(steps.length);
    for (const operand of new Set(step.operands)) {
      const value = plan.values[operand] as PlanValue;
      const fresh = value.role !== 'input' && value.replaces === undefined && value.first === number;
      if (fresh && value.length > 0) steps.push(fill(value, operand));
    }
    steps.push(step);
  });
  /** Where a step went: the poison counts as a value's first step, the step itself as its last. */
  const start = (old: number): number => (old < 0 ? old : (began[old] ?? steps.length));
  const end = (old: number): number => (old < 0 ? old : (began[old + 1] ?? steps.length) - 1);
  const values = plan.values.map((value) => ({
    ...value,
    first: start(value.first),
    last: value.last >= plan.steps.length ? steps.length : end(value.last),
  }));
  return { ...plan, values, steps };
}

/**
 * A backend like `backend` whose temporaries and outputs hold NaN before each run writes them, so that whatever is
 * read before it is written shows.
 *
 * @example
 * setBackend(poisoned(createJsBackend()));
 * await tensor([1, 2, 3]).softmax().sum().item(); // 1, and not NaN
 */
export function poisoned(backend: Backend): Backend {
  const inner = new WeakMap<Executable, Executable>();
  return {
    name: backend.name,
    capabilities: backend.capabilities,
    supports: (kernel) => backend.supports(kernel),
    allocate: (value) => backend.allocate(value),
    ...(backend.scratchOf && { scratchOf: (plan: Plan) => backend.scratchOf?.(poisonPlan(plan)) ?? [] }),
    compile: async (plan) => {
      const compiled = await backend.compile(poisonPlan(plan));
      const outer = { plan, scratchBytes: compiled.scratchBytes, dispose: () => compiled.dispose() };
      inner.set(outer, compiled);
      return outer;
    },
    run: (executable, call) => backend.run(inner.get(executable) as Executable, call),
    dispose: () => backend.dispose(),
  };
}
