export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

export interface FunctionType {
  readonly parameters: readonly ValueType[];
  readonly results?: readonly ValueType[];
}

/** How each type is written in a module. */
export const typeCodes: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};
