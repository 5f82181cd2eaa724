import { type HostArray, writeSafetensors } from '@evenkeel/formats';
import { Module, Parameter, Persistent } from '@evenkeel/nn';
import { commit, Generator, State, tensor } from '@evenkeel/tensor';
import { guardLeaks } from '@evenkeel/tensor/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  decodeSnapshot,
  type EmaProfile,
  emaBeta,
  encodeSnapshot,
  exponentOfStd,
  PowerFunctionEma,
  profileInnerProduct,
  reconstruct,
  sampledResponse,
  snapshotName,
  solveLinear,
  solvePostHoc,
  stateDictOf,
  stdOfExponent,
} from '../src/ema/index.ts';

guardLeaks({ beforeEach, afterEach });

const stds = fc.double({ min: 0.005, max: 0.288, noNaN: true });

describe('profile', () => {
  test.each([
    [0.05, 16.972199],
    [0.1, 6.937204],
    [0.15, 3.557869],
    [0.2, 1.826214],
    [0.25, 0.719824],
    [0.28, 0.169344],
  ])('length %d has exponent %d', (std, exponent) => {
    expect(exponentOfStd(std)).toBeCloseTo(exponent, 6);
  });

  test('length and exponent are each other’s inverse', () => {
    fc.assert(
      fc.property(stds, (std) => {
        expect(Math.abs(stdOfExponent(exponentOfStd(std)) / std - 1)).toBeLessThan(1e-13);
      }),
    );
  });

  test.each([0, -0.1, 0.29, Number.NaN])('there is no length %d', (std) => {
    expect(() => exponentOfStd(std)).toThrow(/above 0 and at most 0\.2887/);
  });

  test('the first update keeps nothing; equal steps keep ever more', () => {
    expect(emaBeta({ std: 0.1, images: 64, batch: 64 })).toBe(0);
    const betas = Array.from({ length: 50 }, (_, i) => emaBeta({ std: 0.1, images: 64 * (i + 1), batch: 64 }));
    for (let i = 1; i < betas.length; i++) expect(betas[i]).toBeGreaterThan(betas[i - 1]!);
    expect(betas[49]).toBeCloseTo(0.98 ** 7.937204, 6);
  });

  test('a sampled response sums to 1, has the asked length, and is 0 after its time', () => {
    const response = sampledResponse({ images: 2000, std: 0.1 }, 2500);
    const moment = (power: number) => response.reduce((sum, p, time) => sum + p * time ** power, 0);
    expect(moment(0)).toBeCloseTo(1, 12);
    expect(Math.sqrt(moment(2) - moment(1) ** 2) / 2000).toBeCloseTo(0.1, 3);
    expect([...response.slice(2001)].every((p) => p === 0)).toBe(true);
  });
});

describe('solve', () => {
  test('leaves no residual', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(1e6), (n, seed) => {
        let state = seed + 1;
        const draw = () => {
          state = (state * 48271) % 2147483647;
          return state / 2147483647 - 0.5;
        };
        const a = { rows: n, columns: n, data: Float64Array.from({ length: n * n }, draw) };
        for (let i = 0; i < n; i++) a.data[i * n + ((i + 1) % n)]! += n; // large off the diagonal: pivoting is needed
        const b = { rows: n, columns: 2, data: Float64Array.from({ length: n * 2 }, draw) };
        const x = solveLinear(a, b);
        for (let i = 0; i < n; i++) {
          for (let c = 0; c < 2; c++) {
            let sum = 0;
            for (let k = 0; k < n; k++) sum += a.data[i * n + k]! * x.data[k * 2 + c]!;
            expect(Math.abs(sum - b.data[i * 2 + c]!)).toBeLessThan(1e-10);
          }
        }
      }),
    );
  });

  test('names a singular matrix', () => {
    const ones = { rows: 2, columns: 2, data: new Float64Array(4).fill(1) };
    expect(() => solveLinear(ones, ones)).toThrow(/singular/);
  });

  test('inner products are integrals of products of profiles', () => {
    const [a, b] = [
      { images: 0.7, std: 0.1 },
      { images: 1, std: 0.2 },
    ];
    const density = ({ images, std }: EmaProfile, time: number) => {
      const exponent = exponentOfStd(std);
      return time <= images ? ((exponent + 1) * time ** exponent) / images ** (exponent + 1) : 0;
    };
    let integral = 0;
    const count = 100_000;
    for (let i = 0; i < count; i++) integral += density(a, (i + 0.5) / count) * density(b, (i + 0.5) / count);
    expect(profileInnerProduct(a, b)).toBeCloseTo(integral / count, 4);
    expect(profileInnerProduct(b, a)).toBeCloseTo(profileInnerProduct(a, b), 12);
  });

  const snapshots = [1, 2, 3, 4].flatMap((time) => [0.05, 0.1].map((std) => ({ images: time * 1024, std })));

  test('weights sum to 1', () => {
    fc.assert(
      fc.property(stds, fc.integer({ min: 1, max: 4 }), (std, time) => {
        const { data } = solvePostHoc(snapshots, [{ images: time * 1024, std }]);
        expect(data.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
      }),
    );
  });

  test('a target that was tracked is its own snapshot', () => {
    const { data } = solvePostHoc(snapshots, snapshots);
    data.forEach((weight, i) => {
      expect(weight).toBeCloseTo(Math.floor(i / 8) === i % 8 ? 1 : 0, 8);
    });
  });

  test('the unit of time does not matter', () => {
    const inUnits = (unit: number) => {
      const scaled = snapshots.map(({ images, std }) => ({ images: images * unit, std }));
      return solvePostHoc(scaled, [{ images: 4096 * unit, std: 0.07 }]).data;
    };
    const [one, other] = [inUnits(1), inUnits(1e-3)];
    one.forEach((weight, i) => {
      expect(weight).toBeCloseTo(other[i]!, 9);
    });
  });

  test('refuses no snapshots, and the same one twice', () => {
    expect(() => solvePostHoc([], snapshots)).toThrow(/no snapshots/);
    expect(() => solvePostHoc([snapshots[0]!, snapshots[0]!], snapshots)).toThrow(/two snapshots at 1024 images/);
  });
});

/** A walk whose values an average of it is compared with. */
const walk = (steps: number) => {
  let value = 0;
  return Array.from({ length: steps }, (_, i) => (value += Math.sin(i * 1.7) + 0.05 * (i % 7)));
};

describe('tracker', () => {
  test('blends as the update says, any cells by name', async () => {
    using value = new State(tensor([0, 0]));
    using ema = new PowerFunctionEma(new Map([['value', value]]), { stds: [0.1, 0.2] });
    const expected = [0, 0];
    for (const [i, x] of walk(30).entries()) {
      value.assign(tensor([x, -x]));
      ema.update((i + 1) * 16);
      await commit();
      for (const [k, std] of [0.1, 0.2].entries()) {
        const beta = emaBeta({ std, images: (i + 1) * 16, batch: 16 });
        expected[k] = beta * expected[k]! + (1 - beta) * x;
        const [up, down] = (await ema.snapshot(std)).get('value')!.data as Float32Array;
        expect(up).toBeCloseTo(expected[k]!, 4);
        expect(down).toBeCloseTo(-expected[k]!, 4);
      }
    }
  });

  test('starts as the first step’s values, exactly', async () => {
    using value = new State(tensor([1e30]));
    using ema = new PowerFunctionEma(new Map([['value', value]]));
    value.assign(tensor([0.1]));
    ema.update(8);
    expect(await ema.stateDict(0.05).get('value')!.data()).toEqual(Float32Array.of(0.1));
  });

  test('copies what a module keeps but does not train, in the order of the state dict', async () => {
    class Layer extends Module {
      readonly scale = new Persistent(tensor([1]));
      readonly weight = new Parameter(tensor([1]));
      forward(): void {}
    }
    using layer = new Layer();
    using ema = new PowerFunctionEma(layer, { stds: [0.1] });
    for (let i = 1; i <= 3; i++) {
      layer.scale.assign(tensor([i * 10]));
      layer.weight.assign(tensor([i * 10]));
      ema.update(i);
    }
    const values = await ema.snapshot(0.1);
    expect([...values.keys()]).toEqual([...layer.stateDict().keys()]);
    expect(values.get('scale')!.data[0]).toBe(30);
    expect(values.get('weight')!.data[0]).toBeLessThan(30);
    expect(ema.averaged).toEqual(['weight']);
  });

  test('refuses time that stands still, and lengths that it does not have', () => {
    using value = new State(tensor([1]));
    const cells = new Map([['value', value]]);
    using ema = new PowerFunctionEma(cells);
    ema.update(8);
    expect(() => ema.update(8)).toThrow(/must grow, got 8 after 8/);
    expect(() => ema.stateDict(0.07)).toThrow(/tracks 0\.05, 0\.1, not 0\.07/);
    expect(() => new PowerFunctionEma(cells, { stds: [0.1, 0.1] })).toThrow(/twice/);
    expect(() => new PowerFunctionEma(cells, { stds: [0.5] })).toThrow(/at most 0\.2887/);
  });
});

describe('reconstruction', () => {
  /** Averages of one walk: every 64 of 512 steps at two lengths, and two more tracked to the end. */
  async function trackWalk() {
    using value = new State(tensor(new Float64Array(1)));
    using ema = new PowerFunctionEma(new Map([['value', value]]), { stds: [0.05, 0.1, 0.07, 0.15] });
    const stored: { images: number; std: number; values: Map<string, HostArray> }[] = [];
    const steps = walk(512);
    for (const [i, x] of steps.entries()) {
      value.assign(tensor(Float64Array.of(x)));
      ema.update(i + 1);
      await commit();
      if ((i + 1) % 64 !== 0) continue;
      for (const std of [0.05, 0.1]) stored.push({ images: i + 1, std, values: await ema.snapshot(std) });
    }
    const direct = [await ema.snapshot(0.07), await ema.snapshot(0.15)].map(
      (one) => one.get('value')!.data[0] as number,
    );
    return { stored, direct };
  }

  test('gives the averages that tracking would have given', async () => {
    const { stored, direct } = await trackWalk();
    const snapshots = stored.map((one) => ({ ...one, load: async () => one.values }));
    const targets = [0.07, 0.15].map((std) => ({ images: 512, std }));
    const made = await reconstruct(snapshots, targets);
    made.forEach((values, i) => {
      const { dtype, data } = values.get('value')!;
      expect(dtype).toBe('float64');
      expect(Math.abs((data[0] as number) / direct[i]! - 1)).toBeLessThan(2e-3);
    });
    const last = stored.at(-1)!;
    const [same] = await reconstruct(snapshots, [last]);
    expect(same!.get('value')!.data[0]).toBeCloseTo(last.values.get('value')!.data[0] as number, 9);
  });

  const stored = (images: number, std: number, entries: Record<string, HostArray>) => {
    return { images, std, load: () => new Map(Object.entries(entries)) };
  };
  const floats = (...values: number[]): HostArray => ({
    dtype: 'float32',
    shape: [values.length],
    data: Float32Array.from(values),
  });

  test('copies integers and named values from the newest snapshot', async () => {
    const count = (n: number): HostArray => ({ dtype: 'int32', shape: [1], data: Int32Array.of(n) });
    const snapshots = [
      stored(200, 0.1, { freqs: floats(5), w: floats(2), count: count(2) }),
      stored(100, 0.1, { freqs: floats(7), w: floats(1), count: count(1) }),
    ];
    const [values] = await reconstruct(snapshots, [{ images: 200, std: 0.12 }], { copied: ['freqs'] });
    expect(values!.get('freqs')!.data).toEqual(Float32Array.of(5));
    expect(values!.get('count')!.data).toEqual(Int32Array.of(2));
    expect(values!.get('w')!.data[0]).toBeLessThan(2);
    expect([...values!.keys()]).toEqual(['freqs', 'w', 'count']);
  });

  test('reads one snapshot after the other', async () => {
    let [open, most] = [0, 0];
    const snapshots = [100, 200, 300].map((images) => ({
      images,
      std: 0.1,
      async load() {
        most = Math.max(most, ++open);
        await Promise.resolve();
        open--;
        return new Map([['w', floats(images)]]);
      },
    }));
    const seen: number[] = [];
    await reconstruct(snapshots, [{ images: 300, std: 0.11 }], { onSnapshot: (index) => seen.push(index) });
    expect(most).toBe(1);
    expect(seen).toEqual([0, 1, 2]);
  });

  test.each([
    ['lacks w', { v: floats(1) }],
    ['has w of shape \\[2\\]', { w: floats(1, 2) }],
    ['has v, which the first has not', { w: floats(1), v: floats(1) }],
  ])('refuses a snapshot that %s', async (message, entries) => {
    const snapshots = [stored(100, 0.1, { w: floats(1) }), stored(200, 0.1, entries)];
    await expect(reconstruct(snapshots, [{ images: 200, std: 0.1 }])).rejects.toThrow(new RegExp(message));
  });
});

describe('snapshot files', () => {
  test('are named by kimg and length', () => {
    expect(snapshotName({ images: 8_388_608, std: 0.05 })).toBe('network-snapshot-0008388-0.050.safetensors');
    expect(snapshotName({ images: 2_147_483_648, std: 0.135 }, 'phema')).toBe('phema-2147483-0.135.safetensors');
  });

  test('give back what went in; float16 rounds', async () => {
    const data = await new Generator(3).normal([4, 5]).data();
    const values = new Map<string, HostArray>([['w', { dtype: 'float32', shape: [4, 5], data }]]);
    const snapshot = { images: 12_345, std: 0.05, values, copied: ['freqs'], metadata: { network: '{"a":1}' } };
    const whole = decodeSnapshot(encodeSnapshot(snapshot));
    expect(whole).toEqual(snapshot);
    const half = decodeSnapshot(encodeSnapshot(snapshot, { dtype: 'float16' }));
    const rounded = await stateDictOf(half.values).get('w')!.data();
    rounded.forEach((value, i) => {
      expect(Math.abs(value - data[i]!)).toBeLessThanOrEqual(Math.abs(data[i]!) * 2 ** -11);
    });
    expect(rounded).not.toEqual(data);
  });

  test('another safetensors file is refused', () => {
    const metadata = { images: '8', ema_std: '0.05', copied: '{' };
    expect(() => decodeSnapshot(writeSafetensors([], metadata), 'x.safetensors')).toThrow(
      /'copied' is no list of names/,
    );
    const others: Record<string, string>[] = [{}, { images: '-8', ema_std: '0.05' }, { images: '8', ema_std: '0' }];
    for (const other of others) {
      const bytes = writeSafetensors([], other);
      expect(() => decodeSnapshot(bytes, 'x.safetensors')).toThrow(/x\.safetensors.*images and ema_std/);
    }
    // Before the first step, a run saves its first weights.
    expect(decodeSnapshot(encodeSnapshot({ images: 0, std: 0.05, values: new Map() })).images).toBe(0);
  });
});
