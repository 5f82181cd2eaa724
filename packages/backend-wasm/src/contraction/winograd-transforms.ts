import type { LoopBuilder } from '../loop-builder.ts';
import type { Value } from '../loop-values.ts';

type Transform = (builder: LoopBuilder, values: readonly Value[]) => Value[];

const add = (b: LoopBuilder, x: Value, y: Value): Value => b.op('f32x4.add', x, y);
const sub = (b: LoopBuilder, x: Value, y: Value): Value => b.op('f32x4.sub', x, y);

/**
 * Minimal filtering of two outputs with three taps (Winograd 1980; Lavin & Gray 2016, equations 5 to 8):
 * outputs = A((G taps) * (B inputs)), with four multiplications in place of six.
 */
export const inputTransform: Transform = (b, [d0, d1, d2, d3]) => {
  const [x0, x1, x2, x3] = [d0, d1, d2, d3] as [Value, Value, Value, Value];
  return [sub(b, x0, x2), add(b, x1, x2), sub(b, x2, x1), sub(b, x1, x3)];
};

export const tapTransform: Transform = (b, [g0, g1, g2]) => {
  const [x0, x1, x2] = [g0, g1, g2] as [Value, Value, Value];
  const half = b.op('f32x4.splat', b.number('f32', 0.5));
  const outer = b.op('f32x4.mul', add(b, x0, x2), half);
  const inner = b.op('f32x4.mul', x1, half);
  return [x0, add(b, outer, inner), sub(b, outer, inner), x2];
};

export const outputTransform: Transform = (b, [m0, m1, m2, m3]) => {
  const [x0, x1, x2, x3] = [m0, m1, m2, m3] as [Value, Value, Value, Value];
  return [add(b, add(b, x0, x1), x2), sub(b, sub(b, x1, x2), x3)];
};

/** The transforms of outputs and taps turned round, for the gradient of taps: dg = G' ((A dy) * (B d)). */
export const gradientTransform: Transform = (b, [y0, y1]) => {
  const [x0, x1] = [y0, y1] as [Value, Value];
  return [x0, add(b, x0, x1), sub(b, x0, x1), b.op('f32x4.neg', x1)];
};

export const tapGradientTransform: Transform = (b, [u0, u1, u2, u3]) => {
  const [x0, x1, x2, x3] = [u0, u1, u2, u3] as [Value, Value, Value, Value];
  const half = b.op('f32x4.splat', b.number('f32', 0.5));
  const outer = b.op('f32x4.mul', add(b, x1, x2), half);
  return [add(b, x0, outer), b.op('f32x4.mul', sub(b, x1, x2), half), add(b, outer, x3)];
};

/** A transform of the rows of a square, then of its columns. Values are row-major. */
export function inBothDirections(builder: LoopBuilder, transform: Transform, values: readonly Value[]): Value[] {
  const size = Math.sqrt(values.length);
  const rows = Array.from({ length: size }, (_, i) => transform(builder, values.slice(i * size, (i + 1) * size)));
  const columns = transposed(rows).map((column) => transform(builder, column));
  return transposed(columns).flat();
}

function transposed(rows: readonly (readonly Value[])[]): Value[][] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] as Value));
}
