import type { ArrayDType } from '../dtype.ts';

/** Names of element types in a safetensors header. BF16 is read, as float32, and never written. */
export const safetensorsNames = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
} as const satisfies Record<ArrayDType, string>;

const readable = new Map<string, ArrayDType | 'bfloat16'>([
  ...Object.entries(safetensorsNames).map(([dtype, name]) => [name, dtype as ArrayDType] as const),
  ['BF16', 'bfloat16'],
]);

/** The element type that a header names, or undefined where this package does not read it (float8, complex). */
export function dtypeOfSafetensorsName(name: string): ArrayDType | 'bfloat16' | undefined {
  return readable.get(name);
}

/** Every name that {@link dtypeOfSafetensorsName} knows, for error messages. */
export const readableNames = [...readable.keys()].join(', ');
