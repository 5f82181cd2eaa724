import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grad } from '../src/autograd/index.ts';
import type { Node } from '../src/graph/node.ts';
import { createNode } from '../src/graph/primitives.ts';
import { checkpoint, concat, conv2d, Generator, State, type Tensor, tensor, zeros } from '../src/index.ts';
import type { Capabilities } from '../src/kernel/backend.ts';
import type { Contraction, Index, Kernel } from '../src/kernel/ir.ts';
import { canonicalize, type Update } from '../src/schedule/canonical.ts';
import { type Schedule, schedule } from '../src/schedule/schedule.ts';
import { assignSlots } from '../src/schedule/slots.ts';
import type { HostArray } from '../src/types/dtype.ts';

const capabilities: Capabilities = {
  dtypes: ['float32', 'float64', 'int32', 'uint32', 'bool'],
  layouts: {},
  buffersPerKernel: 64,
  maxBufferBytes: 2 ** 40,
  memoryBytes: 2 ** 40,
  threads: 1,
  inPlace: true,
};

function data(...shape: number[]): Tensor<'float32'> {
  return tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5), { shape }) as Tensor<'float32'>;
}

function planOf(
  outputs: readonly Tensor[],
  updates: readonly Update[] = [],
  changes: Partial<Capabilities> = {},
): Schedule {
  const program = canonicalize({
    outputs: outputs.map(({ node }) => node),
    updates,
    isCommitted: (node) => node.sources.length === 0,
  });
  return schedule(program, { capabilities: { ...capabilities, ...changes } });
}

const kinds = ({ plan }: Schedule): Kernel['kind'][] => plan.steps.map(({ kernel }) => kernel.kind);
const keyOf = (output: Tensor): string =>
  canonicalize({ outputs: [output.node], updates: [], isCommitted: () => true }).key;

/** A committed cell and the update that gives it a new value. */
function cell(id: number, ...shape: number[]): { node: Node<'cell'>; value: Tensor } {
  const node = createNode('cell', [], { cell: { id, path: `cell${id}` }, version: 0 }, { shape, dtype: 'float32' });
  const holder = data(...shape);
  return { node, value: new (holder.constructor as new (node: Node) => Tensor)(node) };
}

describe('fusion', () => {
  it('makes softmax, layer normalization and pixel normalization one kernel each', () => {
    expect(kinds(planOf([data(8, 8).softmax(-1)]))).toEqual(['row']);
    const x = data(8, 32);
    const centred = x.sub(x.mean(-1, { keepAxes: true }));
    expect(kinds(planOf([centred.div(centred.square().mean(-1, { keepAxes: true }).add(1e-5).sqrt())]))).toEqual([
      'row',
    ]);
    const image = data(2, 8, 16, 16);
    expect(kinds(planOf([image.div(image.square().mean(1, { keepAxes: true }).sqrt().add(1e-4)).silu()]))).toEqual([
      'row',
    ]);
  });

  it('puts elementwise work after a convolution into its epilogue', () => {
    const [image, weight] = [data(2, 8, 8, 8), data(8, 8, 3, 3)];
    const result = planOf([conv2d(image, weight, { padding: 1 }).mul(0.7).add(image.mul(0.3)).silu()]);
    expect(kinds(result)).toEqual(['contraction']);
  });

  it('does not evaluate an activation once for every tap of a convolution that reads it', () => {
    const [image, weight] = [data(2, 8, 8, 8), data(8, 8, 3, 3)];
    expect(kinds(planOf([conv2d(image.silu(), weight, { padding: 1 })]))).toEqual(['row', 'contraction']);
  });

  it('turns depthwise convolutions and matrix-vector products into rows', () => {
    expect(kinds(planOf([conv2d(data(1, 8, 8, 8), data(8, 1, 3, 3), { groups: 8 })]))).toEqual(['row']);
    expect(kinds(planOf([data(16, 16).matmul(data(16, 1))]))).toEqual(['row']);
  });

  it('splits expressions that read more buffers than a kernel may have', () => {
    const sum = Array.from({ length: 20 }, (): Tensor => data(64).exp()).reduce((a, b) => a.add(b));
    const { plan } = planOf([sum], [], { buffersPerKernel: 6 });
    expect(plan.steps.length).toBeGreaterThan(1);
    for (const step of plan.steps) expect(step.operands.length).toBeLessThanOrEqual(6);
  });

  it('leaves to the host what needs more buffers however it is split', () => {
    const parts = Array.from({ length: 9 }, (_, i) => data(i + 1));
    const program = canonicalize({ outputs: [concat(parts, 0).node], updates: [], isCommitted: () => true });
    const hostFunction = () => () => new Float32Array(45);
    const { plan, refused } = schedule(program, {
      capabilities: { ...capabilities, buffersPerKernel: 8 },
      hostFunction,
    });
    expect(plan.steps.map(({ kernel }) => kernel.kind)).toEqual(['host']);
    expect(refused.get(0)).toBe('it needs 10 buffers, the backend has 8 a kernel');
  });

  it('keeps full reductions of large tensors apart from elementwise work, which has parallelism to lose', () => {
    const x = data(256, 1024);
    const y = x.exp();
    const { plan } = planOf([y, y.sum()]);
    expect(plan.steps.map(({ kernel }) => (kernel.kind === 'row' ? kernel.inner.length : -1)).sort()).toEqual([0, 1]);
  });
});

describe('results in an order of their own', () => {
  const strides = ({ plan }: Schedule): number[][] =>
    plan.steps
      .flatMap(({ kernel }) => (kernel.kind === 'contraction' ? kernel.stores : []))
      .map(({ index }) => factors(index));
  const [image, weight] = [data(2, 8, 6, 6), data(16, 8, 3, 3)];
  const channelsLast = [0, 2, 3, 1];

  it('are stored so by the kernel that computes them: nothing copies', () => {
    const convolved = conv2d(image, weight, { padding: 1 });
    const result = planOf([convolved.add(0.5).silu().permute(channelsLast)]);
    expect(kinds(result)).toEqual(['contraction']);
    expect(strides(result)).toEqual([[576, 96, 16, 1]]);
    // Through reshapes that keep neighbours together.
    const tokens = convolved.reshape([2, 4, 4, 36]).permute([0, 3, 1, 2]).reshape([2, 36, 16]);
    expect(strides(planOf([tokens]))).toEqual([[576, 96, 16, 1]]);
    const weightGradient = grad(convolved.sum(), weight);
    expect(kinds(planOf([weightGradient]))).toEqual(['contraction']);
    expect(kinds(planOf([data(8, 32).softmax(-1).transpose()]))).toEqual(['row']);
  });

  it('are copied where no strides lead to their places', () => {
    const convolved = conv2d(image, weight, { padding: 1 });
    expect(kinds(planOf([convolved.reshape([2, 4, 4, 36]).permute([0, 2, 1, 3]).reshape([2, 16, 36])]))).toEqual([
      'contraction',
      'row',
    ]);
  });

  it('may be asked for in several orders, and are read in one of them', () => {
    const convolved = conv2d(image, weight, { padding: 1 });
    const result = planOf([convolved.permute(channelsLast), convolved, convolved.sum(1)]);
    expect(kinds(result)).toEqual(['contraction', 'row']);
    expect(strides(result)).toEqual([
      [576, 96, 16, 1],
      [576, 6, 1, 36],
    ]);
  });

  it('take the place of a cell', () => {
    const p = cell(1, 16, 32);
    const { plan } = planOf(
      [],
      [{ cell: p.node, value: data(32, 8).matmul(data(8, 16)).transpose().add(p.value).node }],
    );
    expect(plan.outputs.map((number) => plan.values[number]?.replaces)).toEqual(plan.inputs.slice(0, 1));
  });

  it('keep row-major what host functions are given', () => {
    const convolved = conv2d(image, weight, { padding: 1 });
    const host = createNode(
      'host',
      [convolved.node],
      { name: 'same', run: ([x]) => x as HostArray },
      { shape: convolved.shape, dtype: 'float32' },
    );
    const given = new (convolved.constructor as new (node: Node) => Tensor)(host);
    const result = planOf([conv2d(given, data(4, 16, 1, 1)), convolved.permute(channelsLast)], [], {
      layouts: { conv: 'channels-last' },
    });
    expect(kinds(result)).toEqual(['contraction', 'host', 'contraction', 'row']);
    expect(strides(result)[0]).toEqual([576, 6, 1, 36]);
  });

  it('are channels-last between convolutions whichever way images are written', () => {
    const layer = (x: Tensor, w: Tensor): Tensor =>
      conv2d(x.permute([0, 3, 1, 2]), w, { padding: 1 })
        .permute(channelsLast)
        .add(data(16))
        .silu();
    const result = planOf([layer(layer(data(2, 6, 6, 8), weight), data(16, 16, 3, 3))], [], {
      layouts: { conv: 'channels-last' },
    });
    const rows = result.plan.steps.flatMap(({ kernel }) => (kernel.kind === 'row' ? [kernel] : []));
    // One loop over everything but the bias's axis.
    expect(rows.map(({ outer }) => outer)).toEqual([
      [72, 16],
      [72, 16],
    ]);
  });
});

/** Factors of the axes of a sum, by axis. */
function factors(index: Index, by = 1, into: number[] = []): number[] {
  if (index.kind === 'axis') into[index.axis] = by;
  else if (index.kind === 'mul') factors(index.left, by * index.by, into);
  else if (index.kind === 'add') for (const part of [index.left, index.right]) factors(part, by, into);
  else throw new Error(`a store has ${index.kind} in its index`);
  return into;
}

describe('convolutions', () => {
  const kernelsOf = (channelsLast: boolean): Contraction[] => {
    const [image, weight] = [data(2, 8, 6, 6), data(16, 8, 3, 3)];
    const result = conv2d(image.silu(), weight, { padding: 1 }).square().sum();
    const { plan } = planOf(
      Object.values(grad(result, { image, weight })),
      [],
      channelsLast ? { layouts: { conv: 'channels-last' } } : {},
    );
    return plan.steps.flatMap(({ kernel }) => (kernel.kind === 'contraction' ? [kernel] : []));
  };

  it('read without divisions in all three roles', () => {
    const kernels = kernelsOf(true);
    expect(kernels.map(({ conv }) => conv?.role).sort()).toEqual(['forward', 'inputGradient', 'weightGradient']);
    expect(JSON.stringify(kernels.map(({ a, b }) => [a, b]))).not.toMatch(/floorDiv|"mod"/);
  });

  it('say by which strides they read, through the movements between', () => {
    const reads = (channelsLast: boolean, role: string): unknown => {
      const { input, weight } = kernelsOf(channelsLast).find(({ conv }) => conv?.role === role)?.conv?.reads ?? {};
      return [input?.strides, input?.offset, weight?.strides, weight?.offset];
    };
    const [nchw, nhwc] = [
      [288, 36, 6, 1],
      [288, 1, 48, 8],
    ];
    expect(reads(false, 'forward')).toEqual([nchw, 0, [72, 9, 3, 1], 0]);
    expect(reads(true, 'forward')).toEqual([nhwc, 0, [72, 9, 3, 1], 0]);
    // Kernels turned round and transposed; channels as the batch.
    expect(reads(true, 'inputGradient')).toEqual([[576, 1, 96, 16], 0, [9, 72, -3, -1], 8]);
    expect(reads(true, 'weightGradient')).toEqual([[1, 288, 48, 8], 0, [1, 576, 96, 16], 0]);
  });
});

describe('plans', () => {
  it('have keys that ignore float scalars and random draws, and see shapes and integers', () => {
    const x = data(4);
    expect(keyOf(x.mul(0.1))).toBe(keyOf(x.mul(0)));
    const generator = new Generator(1);
    expect(keyOf(generator.normal([3]))).toBe(keyOf(generator.normal([3])));
    expect(keyOf(x.mul(0.1))).not.toBe(keyOf(data(5).mul(0.1)));
    expect(keyOf(x.pad([[1, 0]], Number.NEGATIVE_INFINITY))).not.toBe(keyOf(x.pad([[1, 0]], Number.POSITIVE_INFINITY)));
    const twice = x.add(x);
    expect(keyOf(twice)).not.toBe(keyOf(x.add(data(4))));
  });

  it('merge equal work and drop what does nothing', () => {
    const x = data(4, 4);
    const a = x.exp().mul(x.exp());
    const program = planOf([
      a
        .reshape([16])
        .reshape([4, 4])
        .transpose()
        .transpose()
        .add(zeros([4, 4])),
    ]);
    expect(program.plan.steps).toHaveLength(1);
    expect(program.plan.steps[0]?.flops).toBe(32);
  });

  it('overwrite a cell in place where every read is at the written index', () => {
    const p = cell(1, 6);
    const m = cell(2, 6);
    const g = data(6);
    const moment = m.value.mul(0.9).add(g.mul(0.1));
    const updates = [
      { cell: m.node, value: moment.node },
      { cell: p.node, value: p.value.sub(moment.mul(0.01)).node },
    ];
    const { plan } = planOf([], updates);
    expect(plan.steps).toHaveLength(1);
    expect(plan.steps[0]?.kernel.operands.filter(({ access }) => access === 'inout')).toHaveLength(2);
    expect(plan.outputs.map((number) => plan.values[number]?.replaces)).toEqual(
      plan.updates.map(({ input }) => plan.inputs[input]),
    );
    const refused = planOf([], updates, { inPlace: false });
    expect(refused.plan.outputs.map((number) => refused.plan.values[number]?.replaces)).toEqual([undefined, undefined]);
  });

  it('never overwrite in place by a kernel that the backend refuses: its results come from several host steps', () => {
    const [a, b] = [cell(1, 8), cell(2, 8)];
    const program = canonicalize({
      outputs: [],
      updates: [
        { cell: a.node, value: a.value.add(b.value).node },
        { cell: b.node, value: a.value.sub(b.value).node },
      ],
      isCommitted: (node) => node.sources.length === 0,
    });
    const hostFunction = () => () => new Float32Array(8);
    const { plan } = schedule(program, { capabilities, supports: () => 'no', hostFunction });
    expect(plan.steps.map(({ kernel }) => kernel.operands.map(({ access }) => access))).toEqual([
      ['in', 'in', 'out'],
      ['in', 'in', 'out'],
    ]);
    expect(plan.values.some(({ replaces }) => replaces !== undefined)).toBe(false);
  });

  it('have no kernels that write nothing', () => {
    const empty = data(0, 4);
    const { plan } = planOf([empty.silu(), empty.sum(0), empty.sum(1)]);
    expect(plan.steps).toHaveLength(1);
    expect(plan.outputs.map((value) => plan.values[value]?.length)).toEqual([0, 4, 0]);
  });

  it('give a cell a new buffer where an element is read at another index than it is written', () => {
    const p = cell(1, 6);
    const { plan } = planOf([], [{ cell: p.node, value: p.value.flip([0]).node }]);
    expect(plan.values[plan.outputs[0] as number]?.replaces).toBeUndefined();
  });

  it('read the old value of a cell before overwriting it', () => {
    const p = cell(1, 16, 16);
    const old = p.value.matmul(data(16, 16));
    const { plan } = planOf([old], [{ cell: p.node, value: p.value.mul(2).node }]);
    const input = plan.inputs[0] as number;
    const writer = plan.steps.findIndex(({ operands, kernel }) =>
      operands.some((value, i) => plan.values[value]?.replaces === input && kernel.operands[i]?.access !== 'in'),
    );
    const reader = plan.steps.findIndex(({ kernel }) => kernel.kind === 'contraction');
    expect(writer).toBeGreaterThan(reader);
  });

  it('swap two cells without losing either', () => {
    const [a, b] = [cell(1, 4), cell(2, 4)];
    const { plan } = planOf(
      [],
      [
        { cell: a.node, value: b.value.node },
        { cell: b.node, value: a.value.node },
      ],
    );
    // At most one of the two may be overwritten in place, and only after it was copied.
    expect(plan.outputs.filter((number) => plan.values[number]?.replaces !== undefined).length).toBeLessThanOrEqual(1);
  });

  it('share slots between temporaries that are never alive together', () => {
    let x: Tensor = data(16, 16);
    for (let i = 0; i < 10; i++) x = x.matmul(data(16, 16));
    const { plan } = planOf([x]);
    expect(plan.steps).toHaveLength(10);
    expect(plan.slots).toHaveLength(2);
  });

  it('size slots by what an element takes on the backend', () => {
    const build = (): Tensor[] => [data(8, 8).greater(0.2).any(1).cast('float32').cumsum(0)];
    expect(planOf(build()).plan.slots).toEqual([8]);
    expect(planOf(build(), [], { elementBytes: { bool: 4 } }).plan.slots).toEqual([32]);
  });

  it('recompute under checkpoint in less memory', () => {
    const weights = Array.from({ length: 6 }, () => data(32, 32));
    const block = (x: Tensor, part: readonly Tensor[]): Tensor => part.reduce((y, w) => y.matmul(w).silu(), x);
    const peak = (loss: Tensor): number =>
      planOf([loss, ...(grad(loss, weights) as Tensor[])]).plan.slots.reduce((a, b) => a + b, 0);
    const x = data(256, 32);
    const plain = peak(block(block(x, weights.slice(0, 3)), weights.slice(3)).sum());
    const saved = checkpoint((y: Tensor) => block(y, weights.slice(3)))(
      checkpoint((y: Tensor) => block(y, weights.slice(0, 3)))(x),
    );
    expect(peak(saved.sum())).toBeLessThan(0.8 * plain);
  });

  it('carry State cells through real assignments', () => {
    using state = new State(zeros([3]));
    state.assign(state.value.add(1));
    expect(state.value.shape).toEqual([3]);
  });
});

describe('slots', () => {
  const lifetimes = fc.array(
    fc.record({ first: fc.nat(40), length: fc.nat(20), bytes: fc.nat(1000) }).map(({ first, length, bytes }) => {
      return { first, last: first + length, bytes };
    }),
    { maxLength: 60 },
  );

  it('never share between overlapping lifetimes and are as large as their largest tenant', () => {
    fc.assert(
      fc.property(lifetimes, (all) => {
        const { slotOf, bytes } = assignSlots(all);
        all.forEach((a, i) => {
          all.forEach((b, j) => {
            if (i < j && a.first <= b.last && b.first <= a.last) expect(slotOf[i]).not.toBe(slotOf[j]);
          });
        });
        bytes.forEach((size, slot) => {
          expect(size).toBe(Math.max(...all.filter((_, i) => slotOf[i] === slot).map((tenant) => tenant.bytes)));
        });
      }),
    );
  });
});
