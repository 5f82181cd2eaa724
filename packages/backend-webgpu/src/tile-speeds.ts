import type { Contraction, Expr, Index } from '@evenkeel/tensor/kernel';
import { Pipelines } from './pipelines.ts';
import { Timestamps } from './timestamps.ts';
import { fits, tiles, usualSpeeds } from './wgsl/contraction/tile.ts';
import { printTiled } from './wgsl/contraction/tiled.ts';
import type { DeviceTraits } from './wgsl/device-traits.ts';

/** By device: what is measured once in a process is known. */
const known = new Map<string, Promise<readonly number[]>>();

/** How long a tile runs at a time, in milliseconds, and how often at most: clocks are coarse. */
const LONG_ENOUGH = 2;
const MOST_TURNS = 16;
/** Each tile has so many tries, and the best counts: a card that was idle takes a while to be fast. */
const ROUNDS = 3;

/**
 * The speed of each tile on this device, relative to the fastest, from products of `size` x `size / 2` matrices that keep
 * all of a card busy. It decides which tile a contraction takes, and no bit of its result.
 */
export function tileSpeeds(
  device: GPUDevice,
  name: string,
  traits: DeviceTraits,
  size = 2048,
): Promise<readonly number[]> {
  let speeds = known.get(name);
  if (!speeds) {
    // Whatever keeps a device from being measured, it does not keep it from computing.
    speeds = measure(device, traits, size).catch(() => usualSpeeds);
    known.set(name, speeds);
  }
  return speeds;
}

async function measure(device: GPUDevice, traits: DeviceTraits, size: number): Promise<readonly number[]> {
  const pipelines = new Pipelines(device, undefined);
  const kernel = product(size, size / 2);
  const usage = 0x80; // STORAGE
  const buffers = [0, 1, 2].map(() => device.createBuffer({ size: 4 * size * size, usage }));
  const runs = await Promise.all(
    tiles.map(async (tile) => {
      if (!fits(tile, traits)) return undefined;
      const launch = printTiled(kernel, tile, { kind: 'stores' }, traits);
      const { pipeline, layout } = await pipelines.get(launch, `tile of ${tile.m} x ${tile.n}`);
      const entries = launch.bindings.map(({ number }, binding) => {
        return { binding, resource: { buffer: buffers[number] as GPUBuffer } };
      });
      const group = device.createBindGroup({ layout, entries });
      return (turns: number): Promise<number> =>
        timeOf(device, (pass) => {
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, group);
          for (let turn = 0; turn < turns; turn++) pass.dispatchWorkgroups(...launch.workgroups);
        });
    }),
  );
  const times = runs.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, run] of runs.entries()) {
      if (!run) continue;
      const known = times[i] as number;
      const turns = Math.max(1, Math.min(MOST_TURNS, Math.ceil(LONG_ENOUGH / known)));
      times[i] = Math.min(known, Math.max((await run(turns)) / turns, 1e-6));
    }
  }
  for (const buffer of buffers) buffer.destroy();
  const best = Math.min(...times);
  return times.map((time) => best / time);
}

/** Milliseconds of a pass, by the device's clock where it has one. */
async function timeOf(device: GPUDevice, record: (pass: GPUComputePassEncoder) => void): Promise<number> {
  const stamps = device.features.has('timestamp-query') ? new Timestamps(device, 1) : undefined;
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass(stamps ? { timestampWrites: stamps.around(0) } : {});
  record(pass);
  pass.end();
  stamps?.resolve(encoder);
  const start = performance.now();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
  const [measured = 0] = (await stamps?.read()) ?? [performance.now() - start];
  stamps?.destroy();
  return measured;
}

/** C[m, n] = sum of A[m, k] B[k, n]. */
function product(size: number, terms: number): Contraction {
  const at = (row: number, column: number): Index => ({
    kind: 'add',
    left: { kind: 'mul', left: { kind: 'axis', axis: row }, by: column === 2 ? terms : size },
    right: { kind: 'axis', axis: column },
  });
  const load = (operand: number, index: Index): Expr => {
    return { kind: 'load', dtype: 'float32', operand, index, guards: [] };
  };
  return {
    kind: 'contraction',
    operands: [
      { dtype: 'float32', access: 'in' },
      { dtype: 'float32', access: 'in' },
      { dtype: 'float32', access: 'out' },
    ],
    arguments: [],
    batch: [],
    m: [size],
    n: [size],
    k: [terms],
    a: load(0, at(0, 2)),
    b: load(1, at(2, 1)),
    dtype: 'float32',
    stores: [{ operand: 2, index: at(0, 1), value: { kind: 'accumulator', dtype: 'float32' } }],
  };
}
