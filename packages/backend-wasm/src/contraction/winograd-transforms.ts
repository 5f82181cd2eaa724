import type { LoopBuilder } from '../loop-builder.ts';
import type { Value } from '../loop-values.ts';

/** What transforms are written with. */
export type Arithmetic = Pick<LoopBuilder, 'op' | 'number'>;
type Transform = (arithmetic: Arithmetic, values: readonly Value[]) => Value[];

/**
 * Minimal filtering of `size` outputs with three taps (Winograd 1980; Lavin & Gray 2016): outputs = A((G taps) * (B
 * inputs)), with size + 2 multiplications. The gradient of taps is G' ((A' dy) * (B inputs)), the transforms of outputs and
 * taps turned round.
 */
export interface Filtering {
  /** Outputs along one side of a tile, and inputs, which are as many as products. */
  readonly size: 2 | 4;
  readonly span: number;
  /** Products of a tile. */
  readonly points: number;
  readonly input: Transform;
  readonly tap: Transform;
  readonly output: Transform;
  readonly gradient: Transform;
  readonly tapGradient: Transform;
}

const add = (b: Arithmetic, x: Value, y: Value): Value => b.op('f32x4.add', x, y);
const sub = (b: Arithmetic, x: Value, y: Value): Value => b.op('f32x4.sub', x, y);
const times = (b: Arithmetic, factor: number, x: Value): Value => {
  return b.op('f32x4.mul', x, b.op('f32x4.splat', b.number('f32', factor)));
};
type Three = [Value, Value, Value];
type Four = [Value, Value, Value, Value];
type Six = [Value, Value, Value, Value, Value, Value];

/** Equations 5 to 8 of Lavin & Gray: the error is that of a plain sum. */
const two: Filtering = {
  size: 2,
  span: 4,
  points: 16,
  input(b, values) {
    const [d0, d1, d2, d3] = values as Four;
    return [sub(b, d0, d2), add(b, d1, d2), sub(b, d2, d1), sub(b, d1, d3)];
  },
  tap(b, values) {
    const [g0, g1, g2] = values as Three;
    const [outer, inner] = [times(b, 0.5, add(b, g0, g2)), times(b, 0.5, g1)];
    return [g0, add(b, outer, inner), sub(b, outer, inner), g2];
  },
  output(b, values) {
    const [m0, m1, m2, m3] = values as Four;
    return [add(b, add(b, m0, m1), m2), sub(b, sub(b, m1, m2), m3)];
  },
  gradient(b, values) {
    const [y0, y1] = values as [Value, Value];
    return [y0, add(b, y0, y1), sub(b, y0, y1), b.op('f32x4.neg', y1)];
  },
  tapGradient(b, values) {
    const [u0, u1, u2, u3] = values as Four;
    const outer = times(b, 0.5, add(b, u1, u2));
    return [add(b, u0, outer), times(b, 0.5, sub(b, u1, u2)), add(b, outer, u3)];
  },
};

/** Section 4.3 of Lavin & Gray, at the points 0, 1, -1, 2 and -2: the error is some ten times that of a plain sum. */
const four: Filtering = {
  size: 4,
  span: 6,
  points: 36,
  input(b, values) {
    const [d0, d1, d2, d3, d4, d5] = values as Six;
    const [even1, odd1] = [sub(b, d4, times(b, 4, d2)), sub(b, d3, times(b, 4, d1))];
    const [even2, odd2] = [sub(b, d4, d2), times(b, 2, sub(b, d3, d1))];
    return [
      add(b, sub(b, times(b, 4, d0), times(b, 5, d2)), d4),
      add(b, even1, odd1),
      sub(b, even1, odd1),
      add(b, even2, odd2),
      sub(b, even2, odd2),
      add(b, sub(b, times(b, 4, d1), times(b, 5, d3)), d5),
    ];
  },
  tap(b, values) {
    const [g0, g1, g2] = values as Three;
    const [even1, odd1] = [times(b, -1 / 6, add(b, g0, g2)), times(b, 1 / 6, g1)];
    const [even2, odd2] = [add(b, times(b, 1 / 24, g0), times(b, 1 / 6, g2)), times(b, 1 / 12, g1)];
    return [times(b, 0.25, g0), sub(b, even1, odd1), add(b, even1, odd1), add(b, even2, odd2), sub(b, even2, odd2), g2];
  },
  output(b, values) {
    const [m0, m1, m2, m3, m4, m5] = values as Six;
    const [even1, odd1, even2, odd2] = [add(b, m1, m2), sub(b, m1, m2), add(b, m3, m4), sub(b, m3, m4)];
    return [
      add(b, m0, add(b, even1, even2)),
      add(b, odd1, times(b, 2, odd2)),
      add(b, even1, times(b, 4, even2)),
      add(b, add(b, odd1, times(b, 8, odd2)), m5),
    ];
  },
  gradient(b, values) {
    const [y0, y1, y2, y3] = values as Four;
    const [even1, odd1] = [add(b, y0, y2), add(b, y1, y3)];
    const [even2, odd2] = [add(b, y0, times(b, 4, y2)), add(b, times(b, 2, y1), times(b, 8, y3))];
    return [y0, add(b, even1, odd1), sub(b, even1, odd1), add(b, even2, odd2), sub(b, even2, odd2), y3];
  },
  tapGradient(b, values) {
    const [u0, u1, u2, u3, u4, u5] = values as Six;
    const [even1, odd1, even2, odd2] = [add(b, u1, u2), sub(b, u2, u1), add(b, u3, u4), sub(b, u3, u4)];
    const sixth = times(b, 1 / 6, even1);
    return [
      add(b, sub(b, times(b, 0.25, u0), sixth), times(b, 1 / 24, even2)),
      add(b, times(b, 1 / 6, odd1), times(b, 1 / 12, odd2)),
      add(b, sub(b, times(b, 1 / 6, even2), sixth), u5),
    ];
  },
};

export const filterings = { two, four };

/** A transform of the rows of a square, then of its columns. Values are row-major. */
export function inBothDirections(arithmetic: Arithmetic, transform: Transform, values: readonly Value[]): Value[] {
  const size = Math.sqrt(values.length);
  const rows = Array.from({ length: size }, (_, i) => transform(arithmetic, values.slice(i * size, (i + 1) * size)));
  const columns = transposed(rows).map((column) => transform(arithmetic, column));
  return transposed(columns).flat();
}

function transposed(rows: readonly (readonly Value[])[]): Value[][] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] as Value));
}
