import type { Callable, FunctionBuilder, Local, ModuleBuilder } from '../encoder.ts';

/** From here on arguments of sin and cos lose digits when quarter turns are taken off in float64. */
export const LARGE = 2 ** 20;

/** 2 / pi in binary: one word of zeros, then 1216 digits. */
const digits = [
  0n,
  0xa2f9836e4e441529n,
  0xfc2757d1f534ddc0n,
  0xdb6295993c439041n,
  0xfe5163abdebbc561n,
  0xb7246e3a424dd2e0n,
  0x06492eea09d1921cn,
  0xfe1deb1cb129a73en,
  0xe88235f52ebb4484n,
  0xe99c7026b45f7e41n,
  0x3991d639835339f4n,
  0x9c845f8bbdf9283bn,
  0x1ff897ffde05980fn,
  0xef2f118b5a0a6d1fn,
  0x6d367ecf27cb09b7n,
  0x4f463f669e5fea2dn,
  0x7527bac7ebe5f17bn,
  0x3d0739f78a5292ean,
  0x6bfb5fb11f8d5d08n,
  0x56033046fc7b6babn,
] as const;

/** The fraction that is left of a large number of quarter turns is found from 192 digits of 2 / pi (Payne & Hanek 1983). */
const LIMBS = 6;

/**
 * A function (f64) -> f64 for finite x of size 2^20 or more: x less quarter turns, in -pi / 4 ... pi / 4. Global `turns`
 * then holds how many there were, from 0 to 3.
 */
export function addLargeReduction(module: ModuleBuilder): {
  readonly reduce: Callable;
  readonly turns: { readonly index: number };
} {
  const word = addWord(module);
  const turns = module.global('i32', 0);
  const f = module.function({ parameters: ['f64'], results: ['f64'] });
  const [x] = f.parameters as [Local];
  const [bits, high, middle, low] = f.locals('i64', 4) as [Local, Local, Local, Local];
  const [place, at] = f.locals('i32', 2) as [Local, Local];
  f.get(x).op('f64.abs').op('i64.reinterpret_f64').set(bits);
  // |x| = m 2^e with 53 digits in m; digits of 2 / pi that only add multiples of four turns are left out.
  f.get(bits)
    .i64(52n)
    .op('i64.shr_u')
    .op('i32.wrap_i64')
    .i32(1075 + 2 - 64)
    .op('i32.sub')
    .set(place);
  f.get(place).i32(6).op('i32.shr_s').set(at);
  const m = f.local('i64');
  f.get(bits)
    .i64(2n ** 52n - 1n)
    .op('i64.and')
    .i64(2n ** 52n)
    .op('i64.or')
    .set(m);
  const shift = f.local('i64');
  f.get(place).i32(63).op('i32.and').op('i64.extend_i32_u').set(shift);
  [high, middle, low].forEach((target, i) => {
    f.get(at).i32(i).op('i32.add').call(word).get(shift).op('i64.shl');
    f.get(at)
      .i32(i + 1)
      .op('i32.add')
      .call(word)
      .i64(1n)
      .op('i64.shr_u')
      .i64(63n)
      .get(shift)
      .op('i64.sub')
      .op('i64.shr_u');
    f.op('i64.or').set(target);
  });
  multiply(f, m, [low, middle, high]);
  // Quarter turns to the nearest; what is left is between -1/2 and 1/2.
  const quarter = f.local('i64');
  f.get(high)
    .i64(2n ** 61n)
    .op('i64.add')
    .i64(62n)
    .op('i64.shr_u')
    .set(quarter);
  f.get(high).get(quarter).i64(62n).op('i64.shl').op('i64.sub').set(high);
  f.get(high)
    .op('f64.convert_i64_s')
    .f64(2 ** -62)
    .op('f64.mul');
  f.get(middle)
    .op('f64.convert_i64_u')
    .f64(2 ** -126)
    .op('f64.mul')
    .op('f64.add')
    .f64(Math.PI / 2)
    .op('f64.mul');
  const rest = f.local('f64');
  f.set(rest);
  const isNegative = f.local('i32');
  f.get(x).f64(0).op('f64.lt').set(isNegative);
  f.i32(0).get(quarter).op('i32.wrap_i64').op('i32.sub').get(quarter).op('i32.wrap_i64').get(isNegative).op('select');
  f.i32(3).op('i32.and').setGlobal(turns);
  f.get(rest).op('f64.neg').get(rest).get(isNegative).op('select');
  return { reduce: f, turns };
}

/** words := m * words, without what overflows; the lowest word first. */
function multiply(f: FunctionBuilder, m: Local, words: readonly Local[]): void {
  const limbs = f.locals('i64', LIMBS);
  const results = f.locals('i64', LIMBS);
  const mask = 2n ** 32n - 1n;
  words.forEach((word, i) => {
    f.get(word)
      .i64(mask)
      .op('i64.and')
      .set(limbs[2 * i] as Local);
    f.get(word)
      .i64(32n)
      .op('i64.shr_u')
      .set(limbs[2 * i + 1] as Local);
  });
  const parts = f.locals('i64', 2);
  f.get(m)
    .i64(mask)
    .op('i64.and')
    .set(parts[0] as Local);
  f.get(m)
    .i64(32n)
    .op('i64.shr_u')
    .set(parts[1] as Local);
  const carry = f.local('i64');
  parts.forEach((part, offset) => {
    f.i64(0n).set(carry);
    for (let i = offset; i < LIMBS; i++) {
      const result = results[i] as Local;
      f.get(part)
        .get(limbs[i - offset] as Local)
        .op('i64.mul')
        .get(carry)
        .op('i64.add');
      if (offset > 0) f.get(result).op('i64.add');
      f.tee(carry).i64(mask).op('i64.and').set(result);
      f.get(carry).i64(32n).op('i64.shr_u').set(carry);
    }
  });
  words.forEach((word, i) => {
    f.get(results[2 * i + 1] as Local)
      .i64(32n)
      .op('i64.shl')
      .get(results[2 * i] as Local)
      .op('i64.or')
      .set(word);
  });
}

/** (i32) -> i64: a word of the digits, 0 behind them. */
function addWord(module: ModuleBuilder): Callable {
  const f = module.function({ parameters: ['i32'], results: ['i64'] });
  const [number] = f.parameters as [Local];
  digits.forEach((word, i) => {
    f.get(number)
      .i32(i)
      .op('i32.eq')
      .if(() => f.i64(word).op('return'));
  });
  f.i64(0n);
  return f;
}
