import type { WgslFunction } from './functions.ts';

/** Whole numbers: quotients towards minus infinity, division by zero gives 0. */
export const integerFunctions = {
  /** For positive `by`. */
  floorQuotient: {
    code: `
fn floorQuotient(a: i32, by: i32) -> i32 {
  return a / by - select(0, 1, a % by < 0);
}`,
  },
  floorRemainder: {
    code: `
fn floorRemainder(a: i32, by: i32) -> i32 {
  let rest = a % by;
  return rest + select(0, by, rest < 0);
}`,
  },
  floorDivideInt: {
    code: `
fn floorDivideInt(a: i32, b: i32) -> i32 {
  if (b == 0) { return 0; }
  if (b == -1) { return -a; }
  return a / b - select(0, 1, a % b != 0 && (a < 0) != (b < 0));
}`,
  },
  moduloInt: {
    code: `
fn moduloInt(a: i32, b: i32) -> i32 {
  if (b == 0 || b == -1) { return 0; }
  let rest = a % b;
  return rest + select(0, b, rest != 0 && (rest < 0) != (b < 0));
}`,
  },
  floorDivideUint: {
    code: `
fn floorDivideUint(a: u32, b: u32) -> u32 {
  if (b == 0u) { return 0u; }
  return a / b;
}`,
  },
  moduloUint: {
    code: `
fn moduloUint(a: u32, b: u32) -> u32 {
  if (b == 0u) { return 0u; }
  return a % b;
}`,
  },
  toInt32: {
    uses: ['isNan'],
    code: `
fn toInt32(x: f32) -> i32 {
  if (isNan(x)) { return 0; }
  if (x >= 2147483648.0f) { return 2147483647; }
  if (x <= -2147483648.0f) { return i32(-2147483648); }
  return i32(x);
}`,
  },
  toUint32: {
    uses: ['isNan'],
    code: `
fn toUint32(x: f32) -> u32 {
  if (isNan(x) || x <= 0.0f) { return 0u; }
  if (x >= 4294967296.0f) { return 0xffffffffu; }
  return u32(x);
}`,
  },
} as const satisfies Record<string, WgslFunction>;
