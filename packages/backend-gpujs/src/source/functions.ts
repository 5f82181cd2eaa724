import { cosineSeries, logErfc, sineSeries, singleCoefficients } from '@evenkeel/tensor/kernel';
import { reduceLarge } from './large-angles.ts';
import type { HelperFunction } from './launch.ts';

const float = (value: number): string => {
  const text = String(Math.fround(value));
  return value < 0 ? `(${text})` : text;
};

/** Horner's scheme, the constant term first. */
function polynomial(x: string, coefficients: readonly number[]): string {
  return coefficients.reduceRight(
    (rest, coefficient) => (rest === '' ? float(coefficient) : `(${rest} * ${x} + ${float(coefficient)})`),
    '',
  );
}

/** As many terms as float32 needs. */
const [sine, cosine] = [sineSeries.slice(0, 4), cosineSeries.slice(0, 5)];

/** ln 2 in two parts: products of the first with exponents are exact. */
const ln2 = [0.693359375, -2.1219444005469057e-4] as const;

/** pi / 2 in parts whose products with up to 4096 quarter turns are exact, and the rest. */
const halfPi = [1.5703125, 0.00048351287841796875, 3.1385570764541626e-7, 6.07710062827671e-11] as const;

/** NaN is neither above, below nor equal: compilers drop the test x !== x. */
const isNan = (x: string): string => `!(${x} > 0) && !(${x} < 0) && !(${x} == 0)`;

/** Statements that make \`power\` e^x: the power of two is multiplied in by steps, as nothing here makes floats of bits. */
const exponentialOf = (x: string): string => `
  let bounded = ${x};
  if (bounded > 89) { bounded = 89; }
  if (bounded < -104) { bounded = -104; }
  let n = Math.floor(bounded * ${float(Math.LOG2E)} + 0.5);
  const r = (bounded - n * ${float(ln2[0])}) - n * ${float(ln2[1])};
  let power = r * r * ${polynomial('r', singleCoefficients.exp)} + r + 1;
  let factor = 2;
  if (n < 0) { factor = 0.5; n = -n; }
  for (let i = 0; i < 8; i++) {
    const half = Math.floor(n * 0.5);
    if (n - half * 2 > 0.5) { power = power * factor; }
    factor = factor * factor;
    n = half;
  }`;

const quarterSine = (quarters: number): string => `
  const size = Math.abs(x);
  let r = x;
  let turns = 0.5 - 0.5;
  if (!(size < 6000)) {${reduceLarge}
  } else {
    turns = Math.floor(x * ${float(2 / Math.PI)} + 0.5);
${halfPi.map((part) => `    r = r - turns * ${float(part)};`).join('\n')}
  }
  turns = turns + ${quarters};
  turns = turns - Math.floor(turns * 0.25) * 4;
  const z = r * r;
  let value = r + r * z * ${polynomial('z', sine)};
  if (turns == 1 || turns == 3) { value = 1 + z * ${polynomial('z', cosine)}; }
  if (turns > 1.5) { value = -value; }
  return value;`;

/** Bodies of helpers by name and parameters. */
const functions = {
  /** floor(t / d): the rounded quotient may be one too large or too small. */
  floorQuotient: {
    parameters: ['t', 'd'],
    body: `
  let q = Math.floor(t / d);
  const r = t - q * d;
  if (r < 0) { q = q - 1; }
  if (r >= d) { q = q + 1; }
  return q;`,
  },
  maximum: {
    parameters: ['a', 'b'],
    body: `
  if (a >= b) { return a; }
  if (b > a) { return b; }
  return a + b;`,
  },
  minimum: {
    parameters: ['a', 'b'],
    body: `
  if (a <= b) { return a; }
  if (b < a) { return b; }
  return a + b;`,
  },
  /** Devices may divide by multiplying with 1 / b, which is 0 where b is very large. */
  quotient: {
    parameters: ['a', 'b'],
    body: `
  if (Math.abs(b) > 1e37) { return (a * 0.25) / (b * 0.25); }
  return a / b;`,
  },
  signOf: {
    parameters: ['x'],
    body: `
  if (x > 0) { return 1; }
  if (x < 0) { return -1; }
  return x;`,
  },
  roundToEven: {
    parameters: ['x'],
    body: `
  const below = Math.floor(x);
  const rest = x - below;
  if (rest > 0.5) { return below + 1; }
  if (rest == 0.5 && below - Math.floor(below * 0.5) * 2 > 0.5) { return below + 1; }
  return below;`,
  },
  exponential: {
    parameters: ['x'],
    body: `
  if (${isNan('x')}) { return x; }${exponentialOf('x')}
  return power;`,
  },
  logarithm: {
    parameters: ['x'],
    body: `
  if (${isNan('x')}) { return x; }
  if (!(x > 0)) {
    if (x == 0) { return -1 / Math.abs(x); }
    return Math.sqrt(x); // NaN: cards make 0 of (x - x) / (x - x)
  }
  if (x * 0.5 > 3e38) { return x; }
  let f = x;
  let e = 0 * x;
  if (f < 1e-30) { f = f * 16777216; e = -24; }
  for (let i = 0; i < 2; i++) {
    if (f >= 18446744073709551616) { f = f * 5.421010862427522e-20; e = e + 64; }
    if (f >= 4294967296) { f = f * 2.3283064365386963e-10; e = e + 32; }
    if (f >= 65536) { f = f * 0.0000152587890625; e = e + 16; }
    if (f >= 256) { f = f * 0.00390625; e = e + 8; }
    if (f >= 16) { f = f * 0.0625; e = e + 4; }
    if (f >= 4) { f = f * 0.25; e = e + 2; }
    if (f >= 1.4142135) { f = f * 0.5; e = e + 1; }
    if (f < 5.421010862427522e-20) { f = f * 18446744073709551616; e = e - 64; }
    if (f < 2.3283064365386963e-10) { f = f * 4294967296; e = e - 32; }
    if (f < 0.0000152587890625) { f = f * 65536; e = e - 16; }
    if (f < 0.00390625) { f = f * 256; e = e - 8; }
    if (f < 0.0625) { f = f * 16; e = e - 4; }
    if (f < 0.25) { f = f * 4; e = e - 2; }
    if (f < 0.70710677) { f = f * 2; e = e - 1; }
  }
  const difference = f - 1;
  const s = difference / (f + 1);
  const z = s * s;
  const correction = s * (2 * z * ${polynomial('z', singleCoefficients.log)} - difference);
  return e * ${float(ln2[0])} + ((e * ${float(ln2[1])} + correction) + difference);`,
  },
  sigmoid: {
    parameters: ['x'],
    body: `
  if (${isNan('x')}) { return x; }${exponentialOf('-Math.abs(x)')}
  if (x < 0) { return power / (power + 1); }
  return 1 / (power + 1);`,
  },
  hyperbolicTangent: {
    parameters: ['x'],
    body: `
  if (${isNan('x')}) { return x; }
  let size = Math.abs(x);
  if (size < 0.625) {
    const z = x * x;
    return x + x * z * ${polynomial('z', singleCoefficients.tanh)};
  }
  if (size > 20) { size = 20; }${exponentialOf('2 * size')}
  const value = 1 - 2 / (power + 1);
  if (x < 0) { return -value; }
  return value;`,
  },
  errorFunction: {
    parameters: ['x'],
    body: `
  if (${isNan('x')}) { return x; }
  let size = Math.abs(x);
  if (size < 1) {
    const z = x * x;
    return x * ${polynomial('z', singleCoefficients.erf)};
  }
  if (size > 4) { size = 4; }
  const logarithm = ${polynomial('size', logErfc)};${exponentialOf('logarithm')}
  if (x < 0) { return power - 1; }
  return 1 - power;`,
  },
  /** The nearest float16, ties to even. */
  roundToHalf: {
    parameters: ['x'],
    body: `
  const size = Math.abs(x);
  if (!(size < 65520)) { return x * 1e30 * 1e30; }
  if (size == 0) { return x; }
  let unit = 5.960464477539063e-8;
  let perUnit = 16777216;
  let limit = 0.0001220703125;
  for (let i = 0; i < 29; i++) {
    if (size >= limit) { unit = unit * 2; perUnit = perUnit * 0.5; }
    limit = limit * 2;
  }
  const scaled = size * perUnit;
  let units = Math.floor(scaled);
  const rest = scaled - units;
  if (rest > 0.5 || (rest == 0.5 && units - Math.floor(units * 0.5) * 2 > 0.5)) { units = units + 1; }
  if (x < 0) { return -units * unit; }
  return units * unit;`,
  },
  int32High: {
    parameters: ['x'],
    body: `
  if (x >= 2147483648) { return 32767; }
  if (x <= -2147483648) { return -32768; }
  if (x >= 1) { return Math.floor(Math.floor(x) * 0.0000152587890625); }
  if (x <= -1) { return Math.floor(-Math.floor(-x) * 0.0000152587890625); }
  return 0.5 - 0.5;`,
  },
  uint32High: {
    parameters: ['x'],
    body: `
  if (x >= 4294967296) { return 65535; }
  if (x >= 1) { return Math.floor(Math.floor(x) * 0.0000152587890625); }
  return 0.5 - 0.5;`,
  },
  wholeLow: {
    parameters: ['x', 'high'],
    body: `
  let whole = Math.floor(Math.abs(x));
  if (x < 0) { whole = -whole; }
  const rest = whole - high * 65536;
  if (rest > 65535) { return 65535; }
  if (rest > 0) { return rest; }
  return 0.5 - 0.5;`,
  },
  /** Of unsigned 32-bit numbers in parts, bit by bit: the quotient's parts (0, 1), the remainder's (2, 3); 0 by 0. */
  longDivision: {
    parameters: ['ah', 'al', 'bh', 'bl', 'which'],
    body: `
  let qh = 0.5 - 0.5;
  let ql = 0.5 - 0.5;
  let rh = 0.5 - 0.5;
  let rl = 0.5 - 0.5;
  let bits = ah;
  for (let half = 0; half < 2; half++) {
    for (let i = 0; i < 16; i++) {
      bits = bits * 2;
      rl = rl * 2;
      rh = rh * 2;
      if (bits > 65535.5) { bits = bits - 65536; rl = rl + 1; }
      if (rl > 65535.5) { rl = rl - 65536; rh = rh + 1; }
      ql = ql * 2;
      qh = qh * 2;
      if (ql > 65535.5) { ql = ql - 65536; qh = qh + 1; }
      if (rh > bh || (rh == bh && rl >= bl)) {
        rh = rh - bh;
        rl = rl - bl;
        if (rl < 0) { rl = rl + 65536; rh = rh - 1; }
        ql = ql + 1;
      }
    }
    bits = al;
  }
  if (bh < 0.5 && bl < 0.5) { return 0.5 - 0.5; }
  if (which < 0.5) { return qh; }
  if (which < 1.5) { return ql; }
  if (which < 2.5) { return rh; }
  return rl;`,
  },
  sineOf: { parameters: ['x'], body: quarterSine(0) },
  cosineOf: { parameters: ['x'], body: quarterSine(1) },
} as const satisfies Record<string, { parameters: readonly string[]; body: string }>;

export type FunctionName = keyof typeof functions;

export function helperFunction(name: FunctionName): HelperFunction {
  const { parameters, body } = functions[name];
  return {
    name,
    source: `function ${name}(${parameters.join(', ')}) {${body}\n}`,
    argumentTypes: parameters.map(() => 'Float' as const),
    returnType: 'Float',
  };
}
