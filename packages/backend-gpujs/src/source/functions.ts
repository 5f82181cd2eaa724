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

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

/** (sin(r) / r - 1) / r² and (cos(r) - 1) / r² in r², |r| <= pi / 4: Taylor's. */
const sine = Array.from({ length: 4 }, (_, i) => (i % 2 ? 1 : -1) / factorial(2 * i + 3));
const cosine = Array.from({ length: 5 }, (_, i) => (i % 2 ? 1 : -1) / factorial(2 * i + 2));
/** (exp(r) - 1 - r) / r², |r| <= ln(2) / 2; the functions below interpolate at Chebyshev's points too. */
const exponent = [0.5, 0.16666576989698775, 0.041666554617204574, 0.008363179052722578, 0.0013926183587713494];
/** (atanh(s) / s - 1) / s² in s². */
const logarithm = [0.33333342547714534, 0.19994378858302425, 0.14790492964987212];
/** (tanh(x) / x - 1) / x² in x², |x| <= 0.625. */
const hyperbolic = [
  -0.33333328944134255, 0.13332769736976327, -0.05385090957851358, 0.020997178999074752, -0.006096714165908197,
];
/** erf(x) / x in x², |x| <= 1, and ln(erfc(x)), 1 <= x <= 4. */
const errors = [
  1.1283791658483509, -0.37612626666720334, 0.11283594715160218, -0.026854212010626412, 0.005189087423433974,
  -0.000801686428716587, 7.875875062685488e-5,
];
const logComplement = [
  -0.0007658977796976417, -1.125893652409103, -0.6391412576467043, -0.10328111759830176, 0.02260477223804863,
  -0.0034323513807002423, 0.00031693702249140847, -1.3272361811238555e-5,
];

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
  let power = r * r * ${polynomial('r', exponent)} + r + 1;
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
  if (!(x > 0)) {
    if (x == 0) { return -1 / Math.abs(x); }
    return (x - x) / Math.abs(x - x);
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
  const correction = s * (2 * z * ${polynomial('z', logarithm)} - difference);
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
    return x + x * z * ${polynomial('z', hyperbolic)};
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
    return x * ${polynomial('z', errors)};
  }
  if (size > 4) { size = 4; }
  const logarithm = ${polynomial('size', logComplement)};${exponentialOf('logarithm')}
  if (x < 0) { return power - 1; }
  return 1 - power;`,
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
