import type { Callable, Local, ModuleBuilder } from '../encoder.ts';

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** First word of Threefry-2x32-20 (Salmon et al., SC 2011), in four lanes; operands: two key words, then the counter's. */
export function addRandom(module: ModuleBuilder): Callable {
  const type = 'v128';
  const f = module.function({ parameters: [type, type, type, type], results: [type] });
  const [key0, key1, first, second] = f.parameters as [Local, Local, Local, Local];
  const key2 = f.local(type);
  f.i32x4(0x1bd11bda).get(key0).op('v128.xor').get(key1).op('v128.xor').set(key2);
  const keys = [key0, key1, key2] as const;
  f.get(first).get(key0).op('i32x4.add').set(first);
  f.get(second).get(key1).op('i32x4.add').set(second);
  for (let round = 0; round < 20; round++) {
    const by = rotations[round % 8] as number;
    f.get(first).get(second).op('i32x4.add').set(first);
    f.get(second).i32(by).op('i32x4.shl');
    f.get(second)
      .i32(32 - by)
      .op('i32x4.shr_u');
    f.op('v128.or').get(first).op('v128.xor').set(second);
    if (round % 4 !== 3) continue;
    const injection = (round + 1) / 4;
    f.get(first)
      .get(keys[injection % 3] as Local)
      .op('i32x4.add')
      .set(first);
    f.get(second)
      .get(keys[(injection + 1) % 3] as Local)
      .op('i32x4.add');
    f.i32x4(injection).op('i32x4.add').set(second);
  }
  f.get(first);
  return f;
}
