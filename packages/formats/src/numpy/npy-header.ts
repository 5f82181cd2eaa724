import { type ArrayDType, bytesOfDType } from '../dtype.ts';

/** Headers above this size are refused: NumPy's own limit for untrusted files is a sixth of it. */
const largestHeaderBytes = 65536;

/** What a npy header says, checked. */
export interface NpyHeader {
  readonly dtype: ArrayDType;
  readonly bigEndian: boolean;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the elements start, in bytes from the start of the file. */
  readonly dataStart: number;
}

const dtypeOfCode = new Map<string, ArrayDType>([
  ['f8', 'float64'],
  ['f4', 'float32'],
  ['f2', 'float16'],
  ['i8', 'int64'],
  ['i4', 'int32'],
  ['i2', 'int16'],
  ['i1', 'int8'],
  ['u8', 'uint64'],
  ['u4', 'uint32'],
  ['u2', 'uint16'],
  ['u1', 'uint8'],
  ['b1', 'bool'],
]);
const codeOfDType = new Map([...dtypeOfCode].map(([code, dtype]) => [dtype, code]));

/** Reads the header of a npy file, versions 1 to 3. `where` starts every error message. */
export function parseNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  const fail = (message: string): Error => new Error(`${where}: ${message}`);
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) throw fail('does not start with the npy magic');
  const version = bytes[6]!;
  if (version < 1 || version > 3) throw fail(`npy version ${version}.${bytes[7]} is not 1, 2 or 3`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const textStart = version === 1 ? 10 : 12;
  if (bytes.length < textStart) throw fail('cut off inside the header');
  const textLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (textLength > largestHeaderBytes) {
    throw fail(`header length ${textLength} is above the limit of ${largestHeaderBytes}`);
  }
  const dataStart = textStart + textLength;
  if (dataStart > bytes.length) throw fail('cut off inside the header');
  const text = new TextDecoder('latin1').decode(bytes.subarray(textStart, dataStart));

  const fields = parsePythonDict(text);
  if (fields === undefined) throw fail(`header is not a dict of descr, fortran_order and shape: ${quote(text)}`);
  const { descr, fortranOrder, shape } = fields;
  const [, byteOrder, code] = /^'([<>|=])(\w+)'$/.exec(descr) ?? [];
  const dtype = code === undefined ? undefined : dtypeOfCode.get(code);
  if (byteOrder === undefined || dtype === undefined) {
    throw fail(`element type ${quote(descr).slice(1, -1)} is not one of ${[...dtypeOfCode.keys()].join(', ')}`);
  }
  if (byteOrder === '|' && bytesOfDType[dtype] > 1) throw fail(`element type ${descr} does not say its byte order`);
  return { dtype, bigEndian: byteOrder === '>', fortranOrder, shape, dataStart };
}

const quote = (text: string): string => JSON.stringify(text.trim().slice(0, 80));

interface DictFields {
  descr: string;
  fortranOrder: boolean;
  shape: number[];
}

/** The one form of Python literal that NumPy writes, with its three keys in any order and any spacing. */
function parsePythonDict(text: string): DictFields | undefined {
  const [, body] = /^\s*\{(.*)\}\s*$/s.exec(text) ?? [];
  if (body === undefined) return undefined;
  const member = /\s*(['"])(\w+)\1\s*:\s*('[^']*'|"[^"]*"|True|False|\([\d,\sL]*\)|\[.*\])\s*(,|$)/sy;
  const values = new Map<string, string>();
  while (body.slice(member.lastIndex).trim() !== '') {
    const match = member.exec(body);
    if (match === null) return undefined;
    const [, , key = '', value = ''] = match;
    if (values.has(key)) return undefined;
    values.set(key, value);
  }
  const descr = values.get('descr')?.replace(/^"(.*)"$/, "'$1'");
  const fortranOrder = values.get('fortran_order');
  const shape = parseTuple(values.get('shape'));
  if (values.size !== 3 || descr === undefined || shape === undefined) return undefined;
  if (fortranOrder !== 'True' && fortranOrder !== 'False') return undefined;
  return { descr, fortranOrder: fortranOrder === 'True', shape };
}

function parseTuple(text: string | undefined): number[] | undefined {
  const [, body] = /^\(\s*((?:\d+L?\s*,\s*)*(?:\d+L?)?)\s*\)$/.exec(text ?? '') ?? [];
  if (body === undefined) return undefined;
  const sizes = body.split(',').map((size) => size.replace('L', '').trim());
  if (sizes.at(-1) === '') sizes.pop();
  else if (sizes.length === 1) return undefined; // (3) is a number in Python, not a tuple
  const shape = sizes.map(Number);
  return shape.every(Number.isSafeInteger) ? shape : undefined;
}

/** Magic, version 1.0 and header of a little-endian, row-major array, padded so that elements start at a multiple of 64. */
export function encodeNpyHeader(dtype: ArrayDType, shape: readonly number[]): Uint8Array {
  const order = bytesOfDType[dtype] === 1 ? '|' : '<';
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${order}${codeOfDType.get(dtype)}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const text = `${dict.padEnd(length - 11)}\n`;
  const header = new Uint8Array(length);
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(header.buffer).setUint16(8, length - 10, true);
  header.set(new TextEncoder().encode(text), 10);
  return header;
}
