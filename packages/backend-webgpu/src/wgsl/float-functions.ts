import type { WgslFunction } from './functions.ts';

/**
 * Float arithmetic with NaN and infinities. WGSL lets compilers assume that there are none: SwiftShader makes `x != x`
 * false. So what depends on them looks at bits.
 */
export const floatFunctions = {
  /** A number by its bits. A constant may not be infinite or NaN, what a function returns may. */
  special: {
    code: `
fn special(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}`,
  },
  isNan: {
    code: `
fn isNan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}`,
  },
  isTrue: {
    code: `
fn isTrue(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) != 0u;
}`,
  },
  /** Whole numbers in the order of floats, both zeros the same. */
  orderOf: {
    code: `
fn orderOf(x: f32) -> i32 {
  let bits = bitcast<i32>(x);
  return select(bits, i32(-2147483648) - bits, bits < 0);
}`,
  },
  // Joined by `&` and `|`: by `&&` each is a branch, and of some sixty in a kernel SwiftShader's compiler does not come back.
  isLess: {
    uses: ['isNan', 'orderOf'],
    code: `
fn isLess(a: f32, b: f32) -> bool {
  return (orderOf(a) < orderOf(b)) & !isNan(a) & !isNan(b);
}`,
  },
  isLessOrEqual: {
    uses: ['isNan', 'orderOf'],
    code: `
fn isLessOrEqual(a: f32, b: f32) -> bool {
  return (orderOf(a) <= orderOf(b)) & !isNan(a) & !isNan(b);
}`,
  },
  isEqual: {
    uses: ['isNan', 'orderOf'],
    code: `
fn isEqual(a: f32, b: f32) -> bool {
  return (orderOf(a) == orderOf(b)) & !isNan(a);
}`,
  },
  maximum: {
    uses: ['isNan', 'orderOf'],
    code: `
fn maximum(a: f32, b: f32) -> f32 {
  return select(b, a, isNan(a) | ((orderOf(a) >= orderOf(b)) & !isNan(b)));
}`,
  },
  minimum: {
    uses: ['isNan', 'orderOf'],
    code: `
fn minimum(a: f32, b: f32) -> f32 {
  return select(b, a, isNan(a) | ((orderOf(a) <= orderOf(b)) & !isNan(b)));
}`,
  },
  signOf: {
    uses: ['isNan', 'orderOf'],
    code: `
fn signOf(x: f32) -> f32 {
  let order = orderOf(x);
  if (order == 0 || isNan(x)) { return x; }
  return select(1.0f, -1.0f, order < 0);
}`,
  },
  withSign: {
    code: `
fn withSign(size: f32, sign: f32) -> f32 {
  return bitcast<f32>((bitcast<u32>(size) & 0x7fffffffu) | (bitcast<u32>(sign) & 0x80000000u));
}`,
  },
  negative: {
    code: `
fn negative(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ 0x80000000u);
}`,
  },
  absolute: {
    code: `
fn absolute(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) & 0x7fffffffu);
}`,
  },
  squareRoot: {
    uses: ['isNan', 'special'],
    code: `
fn squareRoot(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) == 0u || bits == 0x7f800000u || isNan(x)) { return x; }
  if ((bits & 0x80000000u) != 0u) { return special(0x7fc00000u); }
  return sqrt(x);
}`,
  },
  /**
   * Devices may divide by multiplying with 1 / b, which is 0 where b is very large, may take a subnormal b for 0, and
   * compilers may do as they like about a constant 0.
   */
  quotient: {
    uses: ['special'],
    code: `
fn quotient(a: f32, b: f32) -> f32 {
  let top = bitcast<u32>(a) & 0x7fffffffu;
  let size = bitcast<u32>(b) & 0x7fffffffu;
  if (size < 0x800000u || size >= 0x7f800000u || top >= 0x7f800000u) {
    let isUndefined = top == size && (size == 0u || size == 0x7f800000u);
    if (isUndefined || top > 0x7f800000u || size > 0x7f800000u) { return special(0x7fc00000u); }
    let signs = bitcast<u32>(b) & 0x80000000u;
    if (size != 0u && size < 0x800000u && top < 0x7f800000u) {
      let whole = bitcast<f32>(bitcast<u32>(f32(size)) | signs);
      return a * 37778931862957161709568.0f / whole * 18889465931478580854784.0f;
    }
    let sign = (bitcast<u32>(a) & 0x80000000u) ^ signs;
    return bitcast<f32>(sign | select(0u, 0x7f800000u, size == 0u || top == 0x7f800000u));
  }
  let scale = select(1.0f, 0.25f, size > 0x7e000000u);
  return (a * scale) / (b * scale);
}`,
  },
  /** The remainder with the sign of the divisor, exact: a long division of whole numbers. */
  modulo: {
    uses: ['isNan', 'special', 'remainderOfSizes'],
    code: `
fn modulo(a: f32, b: f32) -> f32 {
  let left = bitcast<u32>(a) & 0x7fffffffu;
  let right = bitcast<u32>(b) & 0x7fffffffu;
  if (isNan(a) || isNan(b) || left == 0x7f800000u || right == 0u) { return special(0x7fc00000u); }
  let sign = bitcast<u32>(b) & 0x80000000u;
  let rest = remainderOfSizes(left, right);
  if (rest == 0u) { return bitcast<f32>(sign); }
  if (((bitcast<u32>(a) ^ bitcast<u32>(b)) & 0x80000000u) == 0u) { return bitcast<f32>(rest | sign); }
  if (right == 0x7f800000u) { return b; }
  return bitcast<f32>(bitcast<u32>(bitcast<f32>(right) - bitcast<f32>(rest)) | sign);
}`,
  },
  /** Bits of the remainder of two finite sizes, given by their bits; the second is not 0. */
  remainderOfSizes: {
    code: `
fn remainderOfSizes(left: u32, right: u32) -> u32 {
  if (left < right) { return left; }
  var exponent = max(left >> 23u, 1u);
  let last = max(right >> 23u, 1u);
  var rest = (left & 0x7fffffu) | select(0u, 0x800000u, left >= 0x800000u);
  let divisor = (right & 0x7fffffu) | select(0u, 0x800000u, right >= 0x800000u);
  loop {
    if (rest >= divisor) { rest = rest % divisor; }
    if (exponent == last || rest == 0u) { break; }
    // As many digits at once as there is room for.
    let step = min(exponent - last, 8u);
    rest = rest << step;
    exponent = exponent - step;
  }
  if (rest == 0u) { return 0u; }
  let shift = min(countLeadingZeros(rest) - 8u, last - 1u);
  rest = rest << shift;
  let biased = last - shift;
  return select(rest, (rest & 0x7fffffu) | (biased << 23u), rest >= 0x800000u);
}`,
  },
  /** The floor of the exact quotient. */
  floorDivide: {
    uses: ['isNan', 'modulo', 'quotient', 'special'],
    code: `
fn floorDivide(a: f32, b: f32) -> f32 {
  let left = bitcast<u32>(a) & 0x7fffffffu;
  let right = bitcast<u32>(b) & 0x7fffffffu;
  if (right == 0u) { return quotient(a, b); }
  if (isNan(a) || isNan(b) || left == 0x7f800000u) { return special(0x7fc00000u); }
  let differs = ((bitcast<u32>(a) ^ bitcast<u32>(b)) & 0x80000000u) != 0u;
  if (right == 0x7f800000u) { return select(0.0f, -1.0f, differs && left != 0u); }
  return round(quotient(a - modulo(a, b), b));
}`,
  },
} as const satisfies Record<string, WgslFunction>;
