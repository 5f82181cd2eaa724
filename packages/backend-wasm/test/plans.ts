import type { Index, Plan, RowKernel } from '@evenkeel/tensor/kernel';

/** out[i] = in[stride * i] + 1 over `length` numbers; outside of the operand where the stride is not 1. */
export function strided(length: number, stride: number): RowKernel {
  const axis: Index = { kind: 'axis', axis: 0 };
  const load = { kind: 'load', dtype: 'float32', operand: 0, guards: [] } as const;
  return {
    kind: 'row',
    operands: [
      { dtype: 'float32', access: 'in' },
      { dtype: 'float32', access: 'out' },
    ],
    arguments: [],
    outer: [length],
    inner: [],
    stages: [
      {
        kind: 'store',
        domain: 'row',
        store: {
          operand: 1,
          index: axis,
          value: {
            kind: 'binary',
            dtype: 'float32',
            op: 'add',
            left: { ...load, index: { kind: 'mul', left: axis, by: stride } },
            right: { kind: 'literal', dtype: 'float32', value: 1 },
          },
        },
      },
    ],
  };
}

/** Value 0 is the input, each kernel makes the next value of the same length, the last is the output. */
export function chain(length: number, kernels: readonly RowKernel[]): Plan {
  return {
    values: Array.from({ length: kernels.length + 1 }, (_, i) => ({
      dtype: 'float32',
      length,
      role: i === 0 ? 'input' : i === kernels.length ? 'output' : 'temporary',
      first: i - 1,
      last: i,
    })),
    inputs: [0],
    outputs: [kernels.length],
    steps: kernels.map((kernel, i) => ({ kernel, operands: [i, i + 1], arguments: [], flops: 0, bytes: 0 })),
    updates: [],
    argumentCount: 0,
    slots: [],
  };
}

/** The plan with all its temporaries in two places, in turn. */
export function inPlaces(plan: Plan): Plan {
  const bytes = 4 * Math.max(...plan.values.map(({ length }) => length));
  const values = plan.values.map((value, i) => (value.role === 'temporary' ? { ...value, slot: i % 2 } : value));
  return { ...plan, values, slots: [bytes, bytes] };
}
