import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loops.ts';

const STEPS = 32;
const OFFSET = 1100;

/** 2^(i - 1100): exactly 0 and Infinity at the ends. */
export const powersOfTwo = Float64Array.from({ length: 2 * OFFSET + 1 }, (_, i) => 2 ** (i - OFFSET));

/** 2^(i / 32). */
export const fractionsOfTwo = Float64Array.from({ length: STEPS }, (_, i) => 2 ** (i / STEPS));

/**
 * exp for results that are kept in float32: relative error below 2e-12, at half the time of `Math.exp`.
 * exp(x) = 2^(k div 32) * 2^((k mod 32) / 32) * p(x - k ln 2 / 32), with p the Taylor polynomial of degree 4.
 */
export function singleExp(builder: LoopBuilder, x: Value): Value {
  const { number, call } = { number: (v: number) => builder.number(v), call: builder.call.bind(builder) };
  const [low, high] = [number(-750), number(750)];
  const clipped = call('select', call('less', high, x), high, call('select', call('less', x, low), low, x));
  const scaled = call('add', call('mul', clipped, number(STEPS / Math.LN2)), number(OFFSET * STEPS + 0.5));
  const k = call('asInt', scaled);
  const rest = call('sub', clipped, call('mul', call('sub', k, number(OFFSET * STEPS)), number(Math.LN2 / STEPS)));
  let polynomial = number(1 / 24);
  for (const coefficient of [1 / 6, 1 / 2, 1, 1]) {
    polynomial = call('add', number(coefficient), call('mul', rest, polynomial));
  }
  const fraction = builder.read({ kind: 'fractions' }, call('mask', k, number(STEPS - 1)));
  const power = builder.read({ kind: 'powers' }, call('shiftDown', k, number(Math.log2(STEPS))));
  return call('mul', call('mul', polynomial, fraction), power);
}
