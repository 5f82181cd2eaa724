import type { Expr } from '../kernel/ir.ts';

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

const literal = (value: number): Expr => ({ kind: 'literal', dtype: 'uint32', value: value >>> 0 });
const add = (left: Expr, right: Expr): Expr => ({ kind: 'binary', dtype: 'uint32', op: 'add', left, right });
const xor = (left: Expr, right: Expr): Expr => ({ kind: 'bits', dtype: 'uint32', op: 'xor', left, right });
const rotate = (value: Expr, by: number): Expr =>
  xor(
    { kind: 'bits', dtype: 'uint32', op: 'shiftLeft', left: value, right: literal(by) },
    { kind: 'bits', dtype: 'uint32', op: 'shiftRight', left: value, right: literal(32 - by) },
  );

/** First word of Threefry-2x32-20 (Salmon et al., SC 2011) of counter (element, stream) under key (key0, key1). */
export function threefry(key0: Expr, key1: Expr, element: Expr, stream: Expr): Expr {
  const keys = [key0, key1, xor(xor(literal(0x1bd11bda), key0), key1)] as const;
  let x0 = add(element, key0);
  let x1 = add(stream, key1);
  for (let group = 0; group < 5; group++) {
    for (const by of rotations[group % 2] as readonly number[]) {
      x0 = add(x0, x1);
      x1 = xor(rotate(x1, by), x0);
    }
    x0 = add(x0, keys[(group + 1) % 3] as Expr);
    x1 = add(add(x1, keys[(group + 2) % 3] as Expr), literal(group + 1));
  }
  return x0;
}
