import { describe, expect, test, vi } from 'vitest';
import { createJsBackend, type JsBackendOptions, Pacer } from '../src/backend-js/index.ts';
import type { Call, DeviceBuffer } from '../src/kernel/backend.ts';
import type { Contraction, Expr, HostStep, Kernel, RowKernel } from '../src/kernel/ir.ts';
import type { Plan, PlanValue, Step } from '../src/kernel/plan.ts';
import type { DType, HostArray } from '../src/types/dtype.ts';
import { accumulator, axis, binary, input, literal, load, output, plus, times } from './backend-js-build.ts';

const LENGTH = 4;
const x = load(0, axis(0));

/** out = value(in), elementwise over 4 numbers. */
function elementwise(value: Expr, inPlace = false): RowKernel {
  const store = { operand: inPlace ? 0 : 1, index: axis(0), value };
  const operands = inPlace ? [{ dtype: 'float32', access: 'inout' } as const] : [input('float32'), output('float32')];
  return {
    kind: 'row',
    operands,
    arguments: ['float32'],
    outer: [LENGTH],
    inner: [],
    stages: [{ kind: 'store', domain: 'row', store }],
  };
}
const given: Expr = { kind: 'argument', dtype: 'float32', argument: 0 };
const addGiven = elementwise(binary('add', x, given));
const double = elementwise(binary('mul', x, literal(2)));

function host(run: HostStep['run'], name = 'fetch'): HostStep {
  return { kind: 'host', operands: [input('float32'), output('float32')], arguments: [], name, run };
}

/** A chain: value 0 is the input, each kernel makes the next value, the last is the output. */
function chain(kernels: readonly Kernel[], { slots = true }: { slots?: boolean } = {}): Plan {
  const values = Array.from({ length: kernels.length + 1 }, (_, i): PlanValue => {
    const role = i === 0 ? 'input' : i === kernels.length ? 'output' : 'temporary';
    return {
      dtype: 'float32',
      length: LENGTH,
      role,
      first: i - 1,
      last: i,
      ...(role === 'temporary' && slots && { slot: i % 2 }),
    };
  });
  const steps = kernels.map(
    (kernel, i): Step => ({
      kernel,
      operands: [i, i + 1],
      arguments: kernel.arguments.map(() => 0),
      flops: 0,
      bytes: 0,
    }),
  );
  return {
    values,
    inputs: [0],
    outputs: [kernels.length],
    steps,
    updates: [],
    argumentCount: 1,
    slots: slots ? new Array(Math.min(2, kernels.length - 1)).fill(16) : [],
  };
}

function inPlacePlan(): Plan {
  const input: PlanValue = { dtype: 'float32', length: LENGTH, role: 'input', first: -1, last: 0 };
  return {
    values: [input, { ...input, role: 'output', first: 0, last: 1, replaces: 0 }],
    inputs: [0],
    outputs: [1],
    steps: [{ kernel: elementwise(binary('add', x, given), true), operands: [1], arguments: [0], flops: 0, bytes: 0 }],
    updates: [{ input: 0, output: 1 }],
    argumentCount: 1,
    slots: [],
  };
}

const call = (inputs: DeviceBuffer[], argument = 1): Call => ({ inputs, arguments: Float64Array.of(argument) });

async function setUp(plan: Plan, options: JsBackendOptions = {}) {
  const backend = createJsBackend(options);
  const executable = await backend.compile(plan);
  const buffer = backend.allocate({ dtype: 'float32', length: LENGTH });
  await buffer.write(Float32Array.of(1, 2, 3, 4));
  return { backend, executable, buffer };
}

const valuesOf = async (buffer: DeviceBuffer | undefined): Promise<number[]> => [
  ...(await (buffer as DeviceBuffer).read()),
];

describe('runs', () => {
  test.each([{ slots: true }, { slots: false }])('temporaries between kernels, %o', async (where) => {
    const { backend, executable, buffer } = await setUp(chain([addGiven, double, addGiven, double], where), {
      poison: true,
    });
    const { outputs, done } = backend.run(executable, call([buffer], 10));
    await done;
    expect(await valuesOf(outputs[0])).toEqual([64, 68, 72, 76]);
    expect(await valuesOf(buffer)).toEqual([1, 2, 3, 4]);
    expect(backend.statistics).toMatchObject({ kernelsRun: 4, plansRun: 1, liveBuffers: 2, bufferBytes: 32 });
  });

  test('outputs serve as inputs at once, and runs keep their order', async () => {
    const { backend, executable, buffer } = await setUp(chain([addGiven, double]));
    const first = backend.run(executable, call([buffer], 1));
    const second = backend.run(executable, call([first.outputs[0] as DeviceBuffer], 2));
    expect(await valuesOf(second.outputs[0])).toEqual([12, 16, 20, 24]);
  });

  test('a write after a run is not seen by it, and the caller may reuse what it gave', async () => {
    const { backend, executable, buffer } = await setUp(chain([addGiven, double]));
    const scalars = Float64Array.of(1);
    const values = Float32Array.of(0, 0, 0, 0);
    const before = backend.run(executable, { inputs: [buffer], arguments: scalars });
    const written = buffer.write(values);
    scalars[0] = 100;
    values.fill(7);
    const after = backend.run(executable, { inputs: [buffer], arguments: scalars });
    await written;
    expect(await valuesOf(before.outputs[0])).toEqual([4, 6, 8, 10]);
    expect(await valuesOf(after.outputs[0])).toEqual([200, 200, 200, 200]);
  });

  test('in place: the output is the input', async () => {
    const { backend, executable, buffer } = await setUp(inPlacePlan());
    const { outputs, done } = backend.run(executable, call([buffer], 5));
    await done;
    expect(outputs[0]).toBe(buffer);
    expect(await valuesOf(buffer)).toEqual([6, 7, 8, 9]);
    expect(backend.statistics.liveBuffers).toBe(1);
  });

  test('an interpreting backend says so and computes the same', async () => {
    const { backend, executable, buffer } = await setUp(chain([addGiven, double]), { interpret: true });
    expect(backend.interprets).toBe(true);
    expect(await valuesOf(backend.run(executable, call([buffer])).outputs[0])).toEqual([4, 6, 8, 10]);
  });

  test('interprets where code from strings is forbidden', async () => {
    const original = globalThis.Function;
    vi.stubGlobal('Function', () => {
      throw new EvalError('Refused to evaluate a string as JavaScript');
    });
    try {
      const { backend, executable, buffer } = await setUp(chain([addGiven, double]));
      expect(backend.interprets).toBe(true);
      expect(await valuesOf(backend.run(executable, call([buffer])).outputs[0])).toEqual([4, 6, 8, 10]);
    } finally {
      vi.stubGlobal('Function', original);
      vi.unstubAllGlobals();
    }
  });

  test('profile leaves one time a step', async () => {
    const { backend, executable, buffer } = await setUp(chain([addGiven, double]));
    expect(backend.run(executable, call([buffer])).stepTimes).toBeUndefined();
    const { stepTimes } = backend.run(executable, { ...call([buffer]), profile: true });
    expect(await stepTimes).toHaveLength(2);
  });
});

describe('host steps', () => {
  test('get copies, may be asynchronous, and are waited for', async () => {
    const seen: number[][] = [];
    const step = host(async ([values]) => {
      seen.push([...(values as HostArray)]);
      await new Promise((resolve) => setTimeout(resolve, 1));
      values?.fill(-1);
      return Float32Array.from(seen[0] as number[], (value) => value * 10);
    });
    const { backend, executable, buffer } = await setUp(chain([step, double]));
    expect(await valuesOf(backend.run(executable, call([buffer])).outputs[0])).toEqual([20, 40, 60, 80]);
    expect(await valuesOf(buffer)).toEqual([1, 2, 3, 4]);
  });

  test.each([
    [() => new Float32Array(3), /host fetch.*length 3.*of 4/],
    [() => new Float64Array(4), /host fetch.*Float64Array/],
    [() => Promise.reject(new Error('no route')), /step 1 of 2 \(host fetch\) failed: no route/],
  ] as const)('a failing one (%#) rejects its run alone', async (run, message) => {
    const { backend, executable, buffer } = await setUp(chain([double, host(run)]));
    const failed = backend.run(executable, call([buffer]));
    await expect(failed.done).rejects.toThrow(message);
    const good = await backend.compile(chain([addGiven, double]));
    expect(await valuesOf(backend.run(good, call([buffer])).outputs[0])).toEqual([4, 6, 8, 10]);
  });
});

describe('pacing', () => {
  /** A clock that moves 3 ms whenever it is read. */
  function paced(budget: number) {
    let time = 0;
    let pauses = 0;
    const pacer = new Pacer({
      budget,
      now: () => {
        time += 3;
        return time;
      },
      pause: async () => {
        pauses++;
      },
    });
    return { pacer, pauses: () => pauses };
  }

  test('a plan within the budget runs without a pause', async () => {
    const { pacer, pauses } = paced(10);
    const { backend, executable, buffer } = await setUp(chain([double, double, double]), { pacer });
    await backend.run(executable, call([buffer])).done;
    expect(pauses()).toBe(0);
  });

  test('a long plan pauses between kernels, as often as its budget says', async () => {
    const { pacer, pauses } = paced(6);
    const { backend, executable, buffer } = await setUp(chain(new Array(8).fill(double)), { pacer });
    await backend.run(executable, call([buffer])).done;
    expect(pauses()).toBe(4);
  });

  test('many short plans in a row pause too', async () => {
    const { pacer, pauses } = paced(6);
    const { backend, executable, buffer } = await setUp(chain([double]), { pacer });
    for (let i = 0; i < 10; i++) await backend.run(executable, call([buffer])).done;
    expect(pauses()).toBe(5);
  });

  test('a pause is a turn of the event loop', async () => {
    const { backend, executable, buffer } = await setUp(chain([double, double]), { pacer: new Pacer({ budget: 0 }) });
    let turned = false;
    setTimeout(() => {
      turned = true;
    }, 0);
    while (!turned) await backend.run(executable, call([buffer])).done;
    expect(turned).toBe(true);
  });
});

describe('memory', () => {
  test('is refused before it is allocated, itemized', async () => {
    const backend = createJsBackend({ memoryBytes: 1000 });
    backend.allocate({ dtype: 'float64', length: 100 });
    const { bufferBytes } = backend.statistics;
    expect(() => backend.allocate({ dtype: 'float32', length: 100 })).toThrow(
      'js backend: a buffer of 100 x float32 needs 400 bytes more, the limit is 1000 bytes: 1 buffers hold 800 bytes (largest: 800 bytes float64), scratch 0 bytes.',
    );
    expect(backend.statistics.bufferBytes).toBe(bufferBytes);
  });

  test('a run whose outputs or temporaries do not fit makes nothing', async () => {
    const { backend, executable, buffer } = await setUp(chain([double, double, double]), { memoryBytes: 40 });
    expect(() => backend.run(executable, call([buffer]))).toThrow(/scratch of a plan.*limit is 40 bytes/);
    const small = await backend.compile(chain([double]));
    const output = backend.run(small, call([buffer])).outputs[0];
    expect(() => backend.run(small, call([buffer]))).toThrow(/a buffer of 4 x float32/);
    output?.free();
    expect(backend.statistics).toMatchObject({ liveBuffers: 1, bufferBytes: 16 });
  });

  test('the blocks of contractions count, and are refused where they do not fit', async () => {
    const kernel: Contraction = {
      kind: 'contraction',
      operands: [input('float32'), output('float32')],
      arguments: [],
      batch: [],
      m: [2],
      n: [2],
      k: [2],
      a: load(0, axis(0)),
      b: literal(1),
      dtype: 'float32',
      stores: [{ operand: 1, index: plus(times(axis(0), 2), axis(1)), value: accumulator }],
    };
    const plan = chain([kernel]);
    await expect(createJsBackend({ memoryBytes: 10_000 }).compile(plan)).rejects.toThrow(
      /the blocks of contractions needs 8 MiB more/,
    );
    const { backend, executable, buffer } = await setUp(plan);
    expect(await valuesOf(backend.run(executable, call([buffer])).outputs[0])).toEqual([2, 2, 4, 4]);
    expect(backend.statistics.scratchBytes).toBe(executable.scratchBytes);
    expect(executable.scratchBytes).toBeGreaterThan(2 ** 20);
  });

  test('scratch is one arena, as large as the largest plan that is not disposed', async () => {
    const { backend, executable, buffer } = await setUp(chain([double, double, double]));
    expect(executable.scratchBytes).toBe(32);
    const large = await backend.compile(chain([double, double, double, double], { slots: false }));
    for (const plan of [executable, large, executable]) {
      const { outputs, done } = backend.run(plan, call([buffer]));
      await done;
      outputs[0]?.free();
    }
    expect(backend.statistics.scratchBytes).toBe(48);
    large.dispose();
    large.dispose();
    expect(backend.statistics.scratchBytes).toBe(32);
    expect(await valuesOf(backend.run(executable, call([buffer])).outputs[0])).toEqual([8, 16, 24, 32]);
    expect(() => backend.run(large, call([buffer]))).toThrow(/disposed executable/);
  });

  test('a steady loop holds steady memory', async () => {
    const { backend, executable, buffer } = await setUp(inPlacePlan());
    await backend.run(executable, call([buffer])).done;
    const { bufferBytes, scratchBytes, liveBuffers } = backend.statistics;
    for (let i = 0; i < 20; i++) await backend.run(executable, call([buffer])).done;
    expect(backend.statistics).toMatchObject({ bufferBytes, scratchBytes, liveBuffers });
  });
});

describe('buffers', () => {
  const roundTrip = async (dtype: DType, values: HostArray): Promise<HostArray> => {
    const buffer = createJsBackend().allocate({ dtype, length: values.length });
    await buffer.write(values);
    return buffer.read();
  };

  test('hold what their dtype can', async () => {
    expect(await roundTrip('float16', Float32Array.of(0.1, 65520))).toEqual(
      Float32Array.of(0.0999755859375, Number.POSITIVE_INFINITY),
    );
    expect(await roundTrip('bool', Uint8Array.of(0, 1, 7))).toEqual(Uint8Array.of(0, 1, 1));
    expect(await roundTrip('uint32', Uint32Array.of(2 ** 32 - 1))).toEqual(Uint32Array.of(2 ** 32 - 1));
    expect(await roundTrip('float32', new Float32Array(0))).toEqual(new Float32Array(0));
  });

  test('reads are copies', async () => {
    const { buffer } = await setUp(chain([double]));
    (await buffer.read()).fill(0);
    expect(await valuesOf(buffer)).toEqual([1, 2, 3, 4]);
  });

  test('wrong values, foreign buffers and use after free are errors that say what to do', async () => {
    const { backend, executable, buffer } = await setUp(chain([double]));
    await expect(buffer.write(new Float64Array(LENGTH))).rejects.toThrow(
      /Float64Array of length 4 to a buffer of float32/,
    );
    await expect(buffer.write(new Float32Array(3))).rejects.toThrow(/length 3/);
    const foreign = createJsBackend().allocate({ dtype: 'float32', length: LENGTH });
    expect(() => backend.run(executable, call([foreign]))).toThrow(/another backend/);
    const short = backend.allocate({ dtype: 'float32', length: 3 });
    expect(() => backend.run(executable, call([short]))).toThrow(/input 0 is float32 of length 3/);
    expect(() => backend.run(executable, { inputs: [], arguments: Float64Array.of(1) })).toThrow(/0 inputs/);
    buffer.free();
    expect(() => buffer.free()).toThrow(/freed buffer/);
    await expect(buffer.read()).rejects.toThrow(/freed buffer/);
    expect(() => backend.run(executable, call([buffer]))).toThrow(/freed buffer/);
    await backend.dispose();
    short.free();
    expect(() => short.free()).toThrow(/freed buffer/);
    expect(backend.statistics).toMatchObject({ liveBuffers: 0, bufferBytes: 0 });
    expect(() => backend.allocate({ dtype: 'float32', length: 1 })).toThrow(/after dispose/);
  });

  test('freeing an input after its run is given does not disturb the run', async () => {
    const { backend, executable, buffer } = await setUp(chain([double, double]));
    const { outputs } = backend.run(executable, call([buffer]));
    buffer.free();
    expect(await valuesOf(outputs[0])).toEqual([4, 8, 12, 16]);
  });
});
