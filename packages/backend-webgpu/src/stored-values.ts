import { bytesPerElement, type DType, type HostArray, hostArray } from '@evenkeel/tensor';

const deviceBytes: Partial<Record<DType, number>> = { bool: 4, float16: 2 };

/** Bytes of a device buffer: whole words, and never none. */
export function storedBytes(dtype: DType, length: number): number {
  return Math.max(4, Math.ceil((length * (deviceBytes[dtype] ?? bytesPerElement(dtype))) / 4) * 4);
}

/** Host values as the device stores them: a bool takes a word, a float16 half of one. Always a copy. */
export function toStored(dtype: DType, values: HostArray): ArrayBuffer {
  const bytes = new ArrayBuffer(storedBytes(dtype, values.length));
  if (dtype === 'bool') new Uint32Array(bytes).set(Uint32Array.from(values, (value) => (value === 0 ? 0 : 1)));
  else if (dtype === 'float16') new Uint16Array(bytes).set(Uint16Array.from(values, halfBits));
  else (hostView(dtype, bytes, values.length) as Float32Array).set(values as Float32Array);
  return bytes;
}

/** The other way round; takes `bytes` over. */
export function fromStored(dtype: DType, bytes: ArrayBuffer, length: number): HostArray {
  if (dtype === 'bool') return Uint8Array.from(new Uint32Array(bytes, 0, length), (word) => (word === 0 ? 0 : 1));
  if (dtype === 'float16') return Float32Array.from(new Uint16Array(bytes, 0, length), halfValue);
  return hostView(dtype, bytes, length);
}

function hostView(dtype: DType, bytes: ArrayBuffer, length: number): HostArray {
  type View = new (buffer: ArrayBuffer, offset: number, length: number) => HostArray;
  return new (hostArray(dtype, 0).constructor as View)(bytes, 0, length);
}

/** The nearest float16, ties to even. */
function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | toEven(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  // A carry out of the digits is a carry into the exponent.
  return sign | (((exponent + 14) << 10) + toEven(size * 2 ** (10 - exponent)));
}

function toEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const digits = bits & 0x3ff;
  if (exponent === 0x1f) return digits === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? digits * 2 ** -24 : (1024 + digits) * 2 ** (exponent - 25));
}
