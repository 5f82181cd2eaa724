import {
  createJsBackend,
  type DeviceBuffer,
  Generator,
  State,
  setBackend,
  tensor,
  withBackend,
} from '@evenkeel/tensor';
import type { Index, Plan, RowKernel } from '@evenkeel/tensor/kernel';
import { afterEach, describe, expect, test } from 'vitest';
import { type WebgpuBackend, type WebgpuOptions, webgpu } from '../src/index.ts';
import { noDevice, openBackend, openDevice } from './device.ts';

let backend: WebgpuBackend | undefined;
/** Devices that were opened, to break them. */
const devices: GPUDevice[] = [];

async function open(options: WebgpuOptions = {}): Promise<WebgpuBackend> {
  backend = await openBackend(options);
  return backend;
}

/** A device of the test's own, and a backend on it. */
async function openBreakable(): Promise<{ backend: WebgpuBackend; device: GPUDevice }> {
  const device = await openDevice();
  devices.push(device);
  return { backend: await open({ device }), device };
}

afterEach(async () => {
  await backend?.dispose();
  backend = undefined;
  for (const device of devices.splice(0)) device.destroy();
});

const axis: Index = { kind: 'axis', axis: 0 };

/** y = x + 1, of `length`. */
function increment(length: number): RowKernel {
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
            left: { kind: 'load', dtype: 'float32', operand: 0, index: axis, guards: [] },
            right: { kind: 'literal', dtype: 'float32', value: 1 },
          },
        },
      },
    ],
  };
}

function planOf(kernel: RowKernel, length: number): Plan {
  return {
    values: [
      { dtype: 'float32', length, role: 'input', first: -1, last: 0 },
      { dtype: 'float32', length, role: 'output', first: 0, last: 1 },
    ],
    inputs: [0],
    outputs: [1],
    steps: [{ kernel, operands: [0, 1], arguments: [], flops: 0, bytes: 0 }],
    updates: [],
    argumentCount: 0,
    slots: [],
  };
}

describe.skipIf(noDevice)('what goes wrong', () => {
  test('a lost device is told, and another backend goes on from what the host has', async () => {
    const { backend: first, device } = await openBreakable();
    const weights = await withBackend(first, async () => {
      using state = new State(tensor([1, 2, 3]), { path: 'weights' });
      state.assign(state.value.mul(2));
      const values = await state.value.data();
      device.destroy();
      await expect(tensor([1, 2]).add(1).data()).rejects.toThrow(
        /webgpu backend: the device was lost \(destroyed\).* Create another backend; what was on the device is gone/,
      );
      return values;
    });
    const second = await open();
    expect(await withBackend(second, () => tensor(weights).add(1).array())).toEqual([3, 5, 7]);
  });

  test('a device that is lost while work is under way', async () => {
    const { backend: made, device } = await openBreakable();
    const executable = await made.compile(planOf(increment(1000), 1000));
    const input = made.allocate({ dtype: 'float32', length: 1000 });
    const { done, outputs } = made.run(executable, { inputs: [input], arguments: new Float64Array() });
    const read = (outputs[0] as DeviceBuffer).read();
    device.destroy();
    await expect(done).rejects.toThrow('the device was lost');
    await expect(read).rejects.toThrow('the device was lost');
  });

  test('a validation error has the name of the step, and the next run works', async () => {
    const { backend: made, device } = await openBreakable();
    const executable = await made.compile(planOf(increment(8), 8));
    const input = made.allocate({ dtype: 'float32', length: 8 });
    const real = device.createBindGroup.bind(device);
    device.createBindGroup = (descriptor) => real({ ...descriptor, entries: [] });
    const run = () => made.run(executable, { inputs: [input], arguments: new Float64Array() });
    await expect(run().done).rejects.toThrow(/^webgpu backend: validation error: .*step 0 of 1 \(row \[8\]: add\)/s);
    device.createBindGroup = real;
    input.free();
    const again = made.allocate({ dtype: 'float32', length: 8 });
    await again.write(new Float32Array(8).fill(2));
    const executableAgain = await made.compile(planOf(increment(8), 8));
    const { outputs } = made.run(executableAgain, { inputs: [again], arguments: new Float64Array() });
    expect(await outputs[0]?.read()).toEqual(new Float32Array(8).fill(3));
  });

  test('memory that the device does not have', async () => {
    const { backend: made, device } = await openBreakable();
    const real = device.createBuffer.bind(device);
    // As a device without room does: the buffer is invalid, and the scope hears why.
    device.createBuffer = (descriptor) => real({ ...descriptor, size: 2 ** 40 });
    const buffer = made.allocate({ dtype: 'float32', length: 100_000 });
    device.createBuffer = real;
    await buffer.write(new Float32Array(100_000));
    await expect(buffer.read()).rejects.toThrow(/webgpu backend: out of memory: the device has no 416 KiB more/);
    expect(await withBackend(made, () => tensor([1, 2]).add(1).array())).toEqual([2, 3]);
  });

  test('a kernel that does not compile has its name', async () => {
    const made = await open();
    const bad = increment(8);
    const broken = { ...bad, outer: [Number.NaN] };
    await expect(made.compile(planOf(broken, 8))).rejects.toThrow(
      /webgpu backend: step 0 of 1 \(row \[NaN\]: add\) does not compile: line \d+/,
    );
    await made.compile(planOf(increment(8), 8));
  });

  test('what is larger than the device binds names the limit', async () => {
    const { backend: made } = await openBreakable(); // with the limits that every device has
    expect(made.capabilities.maxBufferBytes).toBe(2 ** 27);
    expect(() => made.allocate({ dtype: 'float32', length: 2 ** 25 + 1 })).toThrow(
      'webgpu backend: a buffer of 33554433 x float32 takes 128 MiB, this device binds 128 MiB at most (maxStorageBufferBindingSize, maxBufferSize). Use smaller batches',
    );
    await withBackend(made, async () => {
      const random = new Generator(1);
      await expect(random.normal([2 ** 25 + 1]).data()).rejects.toThrow('allows 128 MiB a buffer');
    });
  });

  test('more than memoryBytes', async () => {
    const made = await open({ memoryBytes: 2 ** 20 });
    expect(() => made.allocate({ dtype: 'float32', length: 2 ** 18 + 1 })).toThrow('the limit is 1 MiB');
  });

  test('use after dispose, freed buffers, foreign buffers', async () => {
    const made = await open();
    const executable = await made.compile(planOf(increment(8), 8));
    const buffer = made.allocate({ dtype: 'float32', length: 8 });
    await expect(buffer.write(new Float32Array(7))).rejects.toThrow('Give a Float32Array of that length');
    buffer.free();
    await expect(buffer.read()).rejects.toThrow('read of a freed buffer, float32 of length 8');
    const foreign = createJsBackend().allocate({ dtype: 'float32', length: 8 });
    expect(() => made.run(executable, { inputs: [foreign], arguments: new Float64Array() })).toThrow(
      'input 0 is a buffer of another backend',
    );
    const held = made.allocate({ dtype: 'float32', length: 8 });
    await made.dispose();
    await made.dispose();
    held.free();
    expect(() => made.allocate({ dtype: 'float32', length: 8 })).toThrow('used after dispose. Create another');
  });

  test.each([
    [{ powerPreference: 'fast' }, "powerPreference is 'fast'"],
    [{ device: {} }, 'It must be a GPUDevice'],
    [{ flags: 'x' }, 'flags is'],
    [{ memoryBytes: 5 }, 'memoryBytes is 5'],
    [{ tune: 1 }, 'tune is 1'],
    [{ debug: 1 }, 'debug is 1'],
  ])('options %o', async (options, message) => {
    await expect(webgpu(options as WebgpuOptions)).rejects.toThrow(message);
  });
});

describe.skipIf(noDevice)('in use', () => {
  test('debug shows each program once', async () => {
    const texts: string[] = [];
    const made = await open({ debug: (text) => texts.push(text) });
    await withBackend(made, async () => {
      for (let i = 0; i < 3; i++) await tensor([1, 2, i]).add(1).data();
    });
    expect(texts).toHaveLength(1);
    expect(texts[0]).toMatch(/^\/\/ row \[3\]: add\n@group\(0\)/);
  });

  test('float64 runs on the host', async () => {
    const made = await open();
    const values = withBackend(made, () => tensor([1, 2, 3], { dtype: 'float64' }).div(3).array());
    expect(await values).toEqual([1 / 3, 2 / 3, 1]);
  });

  test('memory of a size that nobody wants any more makes room for that which is wanted', async () => {
    const made = await open({ memoryBytes: 2 ** 23 }); // keeps a MiB
    const use = (kibibytes: number) => made.allocate({ dtype: 'float32', length: kibibytes * 256 });
    const kept = () => made.statistics.idleBytes / 2 ** 10;
    const [first, second] = [use(512), use(512)];
    first.free();
    second.free();
    expect(kept()).toBe(1024);
    use(256).free();
    expect(kept()).toBe(768);
    const again = use(256);
    expect(kept()).toBe(512);
    again.free();
    use(1025).free();
    expect(kept()).toBe(768);
    await made.dispose();
  });

  test('nothing is left after 200 steps of training', async () => {
    const made = await open();
    setBackend(made);
    try {
      const { Adam, Linear } = await import('@evenkeel/nn');
      const { commit } = await import('@evenkeel/tensor');
      const random = new Generator(1);
      const net = new Linear(3, 2);
      const adam = new Adam(net);
      const seen: number[] = [];
      for (let step = 0; step < 200; step++) {
        const loss = net
          .call(random.normal([8, 3]))
          .square()
          .mean();
        adam.step(loss, { learningRate: 0.01 });
        await commit(loss);
        await loss.item();
        const { liveBuffers, bufferBytes, scratchBytes, idleBytes } = made.statistics;
        if (step === 10 || step === 199) seen.push(liveBuffers, bufferBytes, scratchBytes, idleBytes);
      }
      expect(seen.slice(4)).toEqual(seen.slice(0, 4));
      net.dispose();
      adam.dispose();
    } finally {
      setBackend(createJsBackend());
    }
  });
});
