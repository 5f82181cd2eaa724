import { describe, expect, it } from 'vitest';
import { ModuleBuilder } from '../src/encoder.ts';
import { probeInstructions } from '../src/instructions.ts';
import { emitMath, type MathFunction, MathFunctions, type Shape } from '../src/math.ts';
import { erf } from './erf.ts';

const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
/** Fused multiply-add rounds otherwise: where the engine has it, it is held to the same bounds. */
const ways = probeInstructions({ experimental: true }) === 'plain' ? [false] : [false, true];
const names = ['exp', 'log', 'sin', 'cos', 'tanh', 'erf', 'sigmoid', 'pow'] as const;

/** `count` places at byte 0 and (pow) 1 MiB, results at 2 MiB. */
function compile(name: MathFunction, shape: Shape, fused: boolean): (count: number) => void {
  const module = new ModuleBuilder();
  module.importMemory({ module: 'env', name: 'memory', initial: 64, maximum: 64, shared: true });
  const f = module.function({ parameters: ['i32'] }, 'run');
  const at = f.local('i32');
  const [load, store] = shape === 'f64' ? (['f64.load', 'f64.store'] as const) : (['v128.load', 'v128.store'] as const);
  f.for(at, { to: f.parameters[0] as never, step: shape === 'f64' ? 8 : 16 }, () => {
    f.get(at).get(at).memory(load);
    if (name === 'pow') f.get(at).memory(load, 2 ** 20);
    emitMath(f, shape, name, { fused });
    f.memory(store, 2 ** 21);
  });
  const bytes = module.toBytes();
  expect(WebAssembly.validate(bytes)).toBe(true);
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports.run as never;
}

type Pairs = readonly (readonly [number, number?])[];

function evaluate(name: MathFunction, shape: Shape, given: Pairs, fused = false): { got: number[]; wanted: number[] } {
  const isSingle = shape === 'f32x4';
  const view = isSingle ? new Float32Array(memory.buffer) : new Float64Array(memory.buffer);
  const place = isSingle ? 2 ** 18 : 2 ** 17;
  given.forEach(([x, y], i) => {
    view[i] = x;
    view[place + i] = y ?? 0;
  });
  compile(name, shape, fused)(given.length * view.BYTES_PER_ELEMENT);
  return {
    got: given.map((_, i) => view[2 * place + i] as number),
    wanted: given.map((_, i) => exact(name, view[i] as number, view[place + i] as number)),
  };
}

function exact(name: MathFunction, x: number, y: number): number {
  if (name === 'pow') return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
  if (name === 'erf') return erf(x);
  if (name === 'sigmoid') return x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x));
  return Math[name](x);
}

/** Largest relative error; subnormal results may be off by their spacing. */
function largestError(name: MathFunction, shape: Shape, given: Pairs, fused: boolean): number {
  const { got, wanted } = evaluate(name, shape, given, fused);
  const tiny = shape === 'f32x4' ? 2 ** -126 : 2 ** -1022;
  const spacing = shape === 'f32x4' ? 2 ** -149 : 2 ** -1074;
  let worst = 0;
  wanted.forEach((value, i) => {
    const result = got[i] as number;
    const rounded = shape === 'f32x4' ? Math.fround(value) : value;
    if (Object.is(result, rounded) || result === rounded) return;
    // At the very edge of the range, rounding decides.
    if (Math.abs(value) < tiny && Math.abs(result - value) <= 1.01 * spacing) return;
    const error = Math.abs(result - value) / Math.abs(value);
    if (!(error <= worst)) worst = Number.isNaN(error) ? Infinity : error;
  });
  return worst;
}

const range = (from: number, to: number, count = 20_000): [number][] =>
  Array.from({ length: count }, (_, i) => [from + ((to - from) * (i + 0.37)) / count]);
const magnitudes = (from: number, to: number, count = 8000): [number][] =>
  range(Math.log2(from), Math.log2(to), count).flatMap(([e]): [number][] => [[2 ** e], [-(2 ** e)]]);
const positive = (pairs: [number][]): [number][] => pairs.filter(([x]) => x > 0);

const domains: Record<Exclude<MathFunction, 'pow'>, [number][]> = {
  exp: [...range(-103, 88.7), ...magnitudes(1e-30, 1)],
  log: [...positive(magnitudes(1e-44, 3e38, 20_000)), ...range(0.5, 2)],
  sin: [...range(-20, 20), ...range(-1e5, 1e5), ...magnitudes(1e-30, 1)],
  cos: [...range(-20, 20), ...range(-1e5, 1e5), ...magnitudes(1e-30, 1)],
  tanh: [...range(-12, 12), ...magnitudes(1e-38, 100)],
  erf: [...range(-6, 6), ...magnitudes(1e-30, 100)],
  sigmoid: [...range(-87, 87), ...magnitudes(1e-30, 1)],
};
const powers: [number, number][] = [
  ...range(-40, 40, 20_000).map(([e], i): [number, number] => [2 ** (e / 3), ((i * 7919) % 2003) / 100 - 10]),
  ...range(-30, 30, 6000).map(([x], i): [number, number] => [x, (i % 17) - 8]),
];

describe('four float32', () => {
  it.each(names)('%s is within 2e-6', (name) => {
    for (const fused of ways) {
      const error = largestError(name, 'f32x4', name === 'pow' ? powers : domains[name], fused);
      expect(error, fused ? 'fused' : 'plain').toBeLessThan(1e-6);
    }
  });
});

describe('float64', () => {
  const bounds: Partial<Record<MathFunction, number>> = { pow: 4e-15, erf: 2e-15, sin: 2e-11, cos: 2e-11 };
  it.each(names)('%s is within rounding', (name) => {
    const errors = (['f64', 'f64x2'] as const).flatMap((shape) => {
      return ways.map((fused) => largestError(name, shape, name === 'pow' ? powers : domains[name], fused));
    });
    expect(Math.max(...errors)).toBeLessThan(bounds[name] ?? 1e-15);
  });
});

const specials = [
  0,
  -0,
  1,
  -1,
  Infinity,
  -Infinity,
  NaN,
  1e-40,
  -1e-40,
  5e-324,
  1e38,
  -1e38,
  88.9,
  -103.9,
  200,
  -200,
  750,
  -750,
  0.5,
  -2,
];

describe('sines of numbers up to 6000, by four', () => {
  const near = Array.from({ length: 3900 }, (_, k) => (k * Math.PI) / 2);
  const xs = [...range(-20, 20), ...range(-6100, 6100), ...magnitudes(1e-40, 1), ...near.map((x): [number] => [x])];
  const rounded = new Float32Array(
    [0, -0, 1e-45, -1e-40, Number.NaN, ...xs.map(([x]) => x), 0, 0, 0].slice(0, 4 * (xs.length >> 2)),
  );

  it.each(ways.flatMap((fused) => (['sin', 'cos'] as const).map((name) => ({ name, fused }))))(
    '$name, fused $fused',
    ({ name, fused }) => {
      const module = new ModuleBuilder();
      module.importMemory({ module: 'env', name: 'memory', initial: 64, maximum: 64, shared: true });
      const math = new MathFunctions(module, { fused });
      const callee = math.single(name);
      const f = module.function({ parameters: ['i32'] }, 'run');
      const at = f.local('i32');
      f.for(at, { to: f.parameters[0] as never, step: 16 }, () => {
        f.get(at)
          .get(at)
          .memory('v128.load')
          .call(callee)
          .memory('v128.store', 2 ** 21);
      });
      new Float32Array(memory.buffer).set(rounded);
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), { env: { memory } });
      (exports.run as (bytes: number) => void)(rounded.byteLength);
      const got = new Float32Array(memory.buffer, 2 ** 21, rounded.length);
      rounded.forEach((x, i) => {
        const [wanted, value] = [Math[name](x), got[i] as number];
        if (Number.isNaN(x) || x === 0) expect(Object.is(value, wanted), `${name}(${x}) = ${value}`).toBe(true);
        else if (Math.abs(value - wanted) > 3e-7 * Math.abs(wanted) + 2 ** -149) {
          expect.fail(`${name}(${x}) = ${value}, wanted ${wanted}`);
        }
      });
    },
  );
});

describe('sines of four numbers', () => {
  const neighbours = [0.3, 7e4, -1.5e9, Number.NaN];
  const sizes = [0, 5999.5, 6000.5, 1e6, 2 ** 20, 3e38, Infinity, NaN, ...neighbours];
  // In float32 and in float64 these often have other last bits.
  const xs = [...sizes.flatMap((x) => [x, -x]), ...range(-6000, 6000, 500).map(([x]) => x)];

  it.each(ways.flatMap((fused) => (['sin', 'cos'] as const).map((name) => ({ name, fused }))))(
    '$name, fused $fused: none depends on its neighbours',
    ({ name, fused }) => {
      const module = new ModuleBuilder();
      module.importMemory({ module: 'env', name: 'memory', initial: 64, maximum: 64, shared: true });
      const callee = new MathFunctions(module, { fused }).single(name);
      const f = module.function({ parameters: [] }, 'run');
      f.i32(16).i32(0).memory('v128.load').call(callee).memory('v128.store');
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), { env: { memory } });
      const [given, got] = [new Float32Array(memory.buffer, 0, 4), new Float32Array(memory.buffer, 16, 4)];
      const run = (...four: readonly number[]): number[] => {
        given.set(four);
        (exports.run as () => void)();
        return [...got];
      };
      for (const x of xs) {
        const [alone] = run(x, x, x, x);
        for (const y of neighbours) {
          const [first, , , last] = run(x, y, y, x);
          expect(first, `${name}(${x}) beside ${y}`).toBe(alone);
          expect(last, `${name}(${x}) beside ${y}`).toBe(alone);
        }
      }
    },
  );
});

describe('sines of large numbers', () => {
  const large = [
    2 ** 20,
    -(2 ** 20) - 0.5,
    1e9,
    -1e17,
    6381956970095103 * 2 ** 797,
    3.4e38,
    -3e38,
    Number.MAX_VALUE,
    Infinity,
    NaN,
  ];

  it.each(['sin', 'cos'] as const)('%s', (name) => {
    const module = new ModuleBuilder();
    const math = new MathFunctions(module);
    const double = math.double(name);
    const single = math.single(name);
    const f = module.function({ parameters: ['f64'], results: ['f64'] }, 'double');
    f.get(f.parameters[0] as never).call(double);
    const g = module.function({ parameters: ['f32'], results: ['f32'] }, 'single');
    g.get(g.parameters[0] as never)
      .op('f32x4.splat')
      .call(single)
      .lane('f32x4.extract_lane', 3);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()));
    const run = exports as Record<string, (x: number) => number>;
    for (const x of large) {
      const wanted = Math[name](x);
      const got = run.double?.(x) as number;
      if (Number.isNaN(wanted)) expect(got).toBeNaN();
      else
        expect(Math.abs(got - wanted) / Math.abs(wanted), `${name}(${x}) = ${got}, wanted ${wanted}`).toBeLessThan(
          5e-16,
        );
      if (!(Math.abs(x) < 3.4e38)) continue;
      const exact = Math[name](Math.fround(x));
      expect(Math.abs((run.single?.(x) as number) - exact) / Math.abs(exact)).toBeLessThan(1e-7);
    }
  });
});

describe('special values', () => {
  const shapes = (['f32x4', 'f64x2', 'f64'] as const).flatMap((shape) => ways.map((fused) => ({ shape, fused })));
  for (const { shape, fused } of shapes) {
    const where = fused ? `${shape}, fused` : shape;
    it.each(names.filter((name) => name !== 'pow'))(`%s in ${where}`, (name) => {
      // Larger ones have a way of their own.
      const values = specials.filter(
        (x) => !(Number.isFinite(x) && Math.abs(x) > 1e6 && (name === 'sin' || name === 'cos')),
      );
      const { got, wanted } = evaluate(
        name,
        shape,
        values.map((x) => [x] as const),
        fused,
      );
      got.forEach((value, i) => {
        const expected = shape === 'f32x4' ? Math.fround(wanted[i] as number) : (wanted[i] as number);
        const where = `${name}(${values[i]}) = ${value}, wanted ${expected}`;
        if (Number.isFinite(expected) && expected !== 0) {
          const bound =
            shape === 'f32x4' ? 1e-6 * Math.abs(expected) + 2 ** -149 : 2e-15 * Math.abs(expected) + 2 ** -1074;
          expect(Math.abs(value - expected), where).toBeLessThanOrEqual(bound);
        } else expect(Object.is(value, expected), where).toBe(true);
      });
    });

    it(`pow in ${where}`, () => {
      const pairs = specials.flatMap((x) => specials.map((y) => [x, y] as const));
      const { got, wanted } = evaluate('pow', shape, pairs, fused);
      got.forEach((value, i) => {
        const expected = shape === 'f32x4' ? Math.fround(wanted[i] as number) : (wanted[i] as number);
        const [x, y] = pairs[i] as readonly [number, number];
        const where = `${x} ** ${y} = ${value}, wanted ${expected}`;
        if (Number.isFinite(expected) && expected !== 0) {
          const bound =
            (shape === 'f32x4' ? 1e-6 : 1e-14) * Math.abs(expected) + (shape === 'f32x4' ? 2 ** -149 : 2 ** -1074);
          expect(Math.abs(value - expected), where).toBeLessThanOrEqual(bound);
        } else expect(Object.is(value, expected), where).toBe(true);
      });
    });
  }
});
