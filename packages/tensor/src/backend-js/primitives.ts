import { scalarFunctions } from './scalar-functions.ts';

/**
 * One scalar operation of generated code, in both of its forms: `infix` or `call` prints it as JavaScript, `evaluate`
 * computes it in the interpreter. Conditions are JavaScript booleans when printed and 1 or 0 when interpreted.
 */
interface PrimitiveRule {
  readonly infix?: (...operands: string[]) => string;
  /** Name of a function, with its operands as arguments. */
  readonly call?: string;
  readonly evaluate: (a: number, b: number, c: number) => number;
  /** The result is one of the operands, or no less representable: nothing is rounded. */
  readonly exact?: true;
}

const condition = (holds: boolean): number => (holds ? 1 : 0);

const scalar = (name: keyof typeof scalarFunctions): PrimitiveRule => ({
  call: name,
  evaluate: scalarFunctions[name] as (a: number, b: number) => number,
});

const math = (name: 'exp' | 'log' | 'sqrt' | 'sin' | 'cos' | 'tanh'): PrimitiveRule => ({
  call: `Math.${name}`,
  evaluate: Math[name],
});

const exactMath = (name: 'abs' | 'floor' | 'ceil' | 'sign' | 'max' | 'min'): PrimitiveRule => {
  const evaluate = Math[name] as (a: number, b?: number) => number;
  // max and min take any number of operands: the third, which they do not have, must not reach them.
  return { call: `Math.${name}`, evaluate: (a, b) => evaluate(a, b), exact: true };
};

/** Everything that generated code can compute. */
export const primitives = {
  add: { infix: (a, b) => `${a} + ${b}`, evaluate: (a, b) => a + b },
  sub: { infix: (a, b) => `${a} - ${b}`, evaluate: (a, b) => a - b },
  mul: { infix: (a, b) => `${a} * ${b}`, evaluate: (a, b) => a * b },
  div: { infix: (a, b) => `${a} / ${b}`, evaluate: (a, b) => a / b },
  neg: { infix: (a) => `-${a}`, evaluate: (a) => -a, exact: true },
  abs: exactMath('abs'),
  sign: exactMath('sign'),
  floor: exactMath('floor'),
  ceil: exactMath('ceil'),
  round: { ...scalar('roundToEven'), exact: true },
  max: { call: 'Math.max', evaluate: (a, b) => Math.max(a, b), exact: true },
  min: { call: 'Math.min', evaluate: (a, b) => Math.min(a, b), exact: true },
  exp: math('exp'),
  log: math('log'),
  sqrt: math('sqrt'),
  sin: math('sin'),
  cos: math('cos'),
  tanh: math('tanh'),
  erf: scalar('erf'),
  power: scalar('power'),
  floorDivide: scalar('floorDivide'),
  modulo: scalar('modulo'),

  // Whole numbers: int32 and uint32 wrap, and divide towards minus infinity.
  addInt: { infix: (a, b) => `(${a} + ${b}) | 0`, evaluate: (a, b) => (a + b) | 0 },
  subInt: { infix: (a, b) => `(${a} - ${b}) | 0`, evaluate: (a, b) => (a - b) | 0 },
  mulInt: { call: 'Math.imul', evaluate: Math.imul },
  addUint: { infix: (a, b) => `(${a} + ${b}) >>> 0`, evaluate: (a, b) => (a + b) >>> 0 },
  subUint: { infix: (a, b) => `(${a} - ${b}) >>> 0`, evaluate: (a, b) => (a - b) >>> 0 },
  mulUint: { infix: (a, b) => `Math.imul(${a}, ${b}) >>> 0`, evaluate: (a, b) => Math.imul(a, b) >>> 0 },
  floorDivideInt: scalar('floorDivideInt'),
  floorDivideUint: scalar('floorDivideUint'),
  moduloInt: scalar('moduloInt'),
  moduloUint: scalar('moduloUint'),
  xor: { infix: (a, b) => `(${a} ^ ${b}) >>> 0`, evaluate: (a, b) => (a ^ b) >>> 0 },
  shiftLeft: { infix: (a, b) => `(${a} << ${b}) >>> 0`, evaluate: (a, b) => (a << b) >>> 0 },
  shiftRight: { infix: (a, b) => `${a} >>> ${b}`, evaluate: (a, b) => a >>> b },

  // Conversions.
  asInt: { infix: (a) => `${a} | 0`, evaluate: (a) => a | 0 },
  asUint: { infix: (a) => `${a} >>> 0`, evaluate: (a) => a >>> 0 },
  toInt32: scalar('toInt32'),
  toUint32: scalar('toUint32'),
  toSingle: { call: 'Math.fround', evaluate: Math.fround },
  toHalf: scalar('roundToHalf'),
  asNumber: { infix: (a) => `${a} ? 1 : 0`, evaluate: (a) => (a ? 1 : 0) },

  // Conditions.
  less: { infix: (a, b) => `${a} < ${b}`, evaluate: (a, b) => condition(a < b) },
  lessEqual: { infix: (a, b) => `${a} <= ${b}`, evaluate: (a, b) => condition(a <= b) },
  equal: { infix: (a, b) => `${a} === ${b}`, evaluate: (a, b) => condition(a === b) },
  notEqual: { infix: (a, b) => `${a} !== ${b}`, evaluate: (a, b) => condition(a !== b) },
  not: { infix: (a) => `!${a}`, evaluate: (a) => (a ? 0 : 1) },
  and: { infix: (a, b) => `${a} && ${b}`, evaluate: (a, b) => a && b },
  or: { infix: (a, b) => `${a} || ${b}`, evaluate: (a, b) => a || b },
  /** 0 <= a < b for an int32 `a`, in one comparison. */
  isBelow: { infix: (a, b) => `(${a} >>> 0) < ${b}`, evaluate: (a, b) => condition(a >>> 0 < b) },
  select: { infix: (a, b, c) => `${a} ? ${b} : ${c}`, evaluate: (a, b, c) => (a ? b : c) },

  // Indices; the bit forms are for int32 values and powers of two.
  quotient: { infix: (a, b) => `(${a} / ${b}) | 0`, evaluate: (a, b) => (a / b) | 0 },
  floorQuotient: { infix: (a, b) => `Math.floor(${a} / ${b})`, evaluate: (a, b) => Math.floor(a / b) },
  remainder: { infix: (a, b) => `${a} % ${b}`, evaluate: (a, b) => a % b },
  floorRemainder: scalar('floorMod'),
  shiftDown: { infix: (a, b) => `${a} >> ${b}`, evaluate: (a, b) => a >> b },
  mask: { infix: (a, b) => `${a} & ${b}`, evaluate: (a, b) => a & b },
} as const satisfies Record<string, PrimitiveRule>;

export type Primitive = keyof typeof primitives;

export function primitiveRule(primitive: Primitive): PrimitiveRule {
  return primitives[primitive];
}
