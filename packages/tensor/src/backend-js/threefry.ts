import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loops.ts';

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** First word of Threefry-2x32-20 (Salmon et al., SC 2011) of counter (element, stream) under a key. */
export function threefry(
  builder: LoopBuilder,
  { key, element, stream }: { key: readonly [Value, Value]; element: Value; stream: Value },
): Value {
  const literal = (value: number): Value => builder.number(value >>> 0);
  const add = (left: Value, right: Value): Value => builder.call('addUint', left, right);
  const xor = (left: Value, right: Value): Value => builder.call('xor', left, right);
  const rotate = (value: Value, by: number): Value =>
    xor(builder.call('shiftLeft', value, literal(by)), builder.call('shiftRight', value, literal(32 - by)));
  const keys = [...key, xor(xor(literal(0x1bd11bda), key[0]), key[1])] as const;
  let x0 = add(element, key[0]);
  let x1 = add(stream, key[1]);
  for (let group = 0; group < 5; group++) {
    for (const by of rotations[group % 2] as readonly number[]) {
      x0 = add(x0, x1);
      x1 = xor(rotate(x1, by), x0);
    }
    x0 = add(x0, keys[(group + 1) % 3] as Value);
    x1 = add(add(x1, keys[(group + 2) % 3] as Value), literal(group + 1));
  }
  return x0;
}
