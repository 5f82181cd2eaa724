import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loops.ts';

/** A linear map of a few scalars. */
type Transform = (v: readonly Value[], arithmetic: Arithmetic) => Value[];

interface Arithmetic {
  add(a: Value, b: Value): Value;
  sub(a: Value, b: Value): Value;
  /** a * factor */
  times(a: Value, factor: number): Value;
}

/**
 * The maps of F(4 x 4, 3 x 3) with interpolation points 0, 1, -1, 2, -2 and infinity:
 * outputs = output((weights g) * (input d)), each map taken along rows and columns.
 * The gradient of g, given that of the outputs, is weightGradient((outputGradient dy) * (input d)).
 * Source: Lavin and Gray, arXiv 1509.09308. Everything is in float64, where its rounding does not matter.
 */
export const transforms = {
  /** 6 to 6: B^T. */
  input: ([d0, d1, d2, d3, d4, d5], { add, sub, times }) => {
    const [a, b] = [sub(d4, times(d2, 4)), sub(d3, times(d1, 4))];
    const [c, e] = [sub(d4, d2), times(sub(d3, d1), 2)];
    const first = add(sub(times(d0, 4), times(d2, 5)), d4);
    const last = add(sub(times(d1, 4), times(d3, 5)), d5);
    return [first, add(a, b), sub(a, b), add(c, e), sub(c, e), last];
  },
  /** 3 to 6: G. */
  weights: ([g0, g1, g2], { add, sub, times }) => {
    const [u, v] = [times(add(g0, g2), -1 / 6), times(g1, -1 / 6)];
    const [w, z] = [add(times(g0, 1 / 24), times(g2, 1 / 6)), times(g1, 1 / 12)];
    return [times(g0, 1 / 4), add(u, v), sub(u, v), add(w, z), sub(w, z), g2];
  },
  /** 6 to 4: A^T. */
  output: ([m0, m1, m2, m3, m4, m5], { add, sub, times }) => {
    const [p, q, r, s] = [add(m1, m2), sub(m1, m2), add(m3, m4), sub(m3, m4)];
    return [add(add(m0, p), r), add(q, times(s, 2)), add(p, times(r, 4)), add(add(q, times(s, 8)), m5)];
  },
  /** 4 to 6: A. */
  outputGradient: ([y0, y1, y2, y3], { add, sub, times }) => {
    const [p, q] = [add(y0, y2), add(y1, y3)];
    const [s, t] = [add(y0, times(y2, 4)), add(times(y1, 2), times(y3, 8))];
    return [y0, add(p, q), sub(p, q), add(s, t), sub(s, t), y3];
  },
  /** 6 to 3: G^T. */
  weightGradient: ([m0, m1, m2, m3, m4, m5], { add, sub, times }) => {
    const [p, q, r, s] = [add(m1, m2), sub(m1, m2), add(m3, m4), sub(m3, m4)];
    return [
      add(sub(times(m0, 1 / 4), times(p, 1 / 6)), times(r, 1 / 24)),
      sub(times(s, 1 / 12), times(q, 1 / 6)),
      add(sub(times(r, 1 / 6), times(p, 1 / 6)), m5),
    ];
  },
} as const satisfies Record<string, (v: readonly [Value, Value, Value, Value, Value, Value], a: Arithmetic) => Value[]>;

/** A map along the columns of a square, then along its rows; rows of values in and out. */
export function transformSquare(
  builder: LoopBuilder,
  name: keyof typeof transforms,
  square: readonly Value[][],
): Value[][] {
  const transform = transforms[name] as unknown as Transform;
  const arithmetic: Arithmetic = {
    add: (a, b) => builder.call('add', a, b),
    sub: (a, b) => builder.call('sub', a, b),
    times: (a, factor) => builder.call('mul', a, builder.number(factor)),
  };
  const width = square.length;
  const columns = Array.from({ length: width }, (_, j) => {
    return transform(
      square.map((row) => row[j] as Value),
      arithmetic,
    );
  });
  const height = (columns[0] as Value[]).length;
  return Array.from({ length: height }, (_, i) =>
    transform(
      columns.map((column) => column[i] as Value),
      arithmetic,
    ),
  );
}
