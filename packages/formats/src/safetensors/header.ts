import { type ArrayDType, bytesOfDType } from '../dtype.ts';
import { elementCount } from '../host-array.ts';
import { dtypeOfSafetensorsName, readableNames } from './dtypes.ts';
import { findDuplicateKey } from './duplicate-key.ts';

/** Headers above this size are refused before anything is allocated. */
export const largestHeaderBytes = 100_000_000;

/** One tensor of a header, checked: `end - begin` equals shape times element size. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: ArrayDType | 'bfloat16';
  readonly shape: readonly number[];
  /** Offsets from the start of the file. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** Where the header of a file of `fileLength` bytes ends, from its first 8. `where` starts every error message. */
export function headerEnd(bytes: Uint8Array, where: string, fileLength: number): number {
  const fail: Fail = (message) => new Error(`${where}: ${message}`);
  if (fileLength < 8) throw fail(`${fileLength} bytes, too short for a header length. Is it a safetensors file?`);
  const declared = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (declared > BigInt(largestHeaderBytes)) {
    throw fail(`header length ${declared} is above the limit of ${largestHeaderBytes}. Is it a safetensors file?`);
  }
  const headerLength = Number(declared);
  if (8 + headerLength > fileLength) {
    throw fail(`header length ${headerLength}, but only ${fileLength - 8} bytes follow it. Is the file cut off?`);
  }
  return 8 + headerLength;
}

/** Reads and checks the header of a file; `bytes` are all of its `fileLength`, or at least the header's. */
export function parseHeader(bytes: Uint8Array, where: string, fileLength = bytes.length): SafetensorsHeader {
  const fail: Fail = (message) => new Error(`${where}: ${message}`);
  const dataStart = headerEnd(bytes, where, fileLength);
  const header = parseJsonObject(bytes.subarray(8, dataStart), fail);

  const metadata = new Map<string, string>();
  const entries: HeaderEntry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') readMetadata(value, metadata, fail);
    else {
      entries.push(readEntry(name, value, dataStart, (message) => fail(`tensor ${JSON.stringify(name)}: ${message}`)));
    }
  }
  checkCoverage(entries, dataStart, fileLength, fail);
  return { entries, metadata };
}

/** Makes the error; the caller throws it. */
type Fail = (message: string) => Error;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJsonObject(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw fail(`header does not start with '{'. Is it a safetensors file?`);
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fail('header is not UTF-8');
  }
  try {
    value = JSON.parse(text);
  } catch {
    throw fail('header is not JSON');
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) throw fail(`header holds ${JSON.stringify(duplicate)} twice`);
  return value as Record<string, unknown>;
}

function readMetadata(value: unknown, into: Map<string, string>, fail: Fail): void {
  if (!isObject(value)) throw fail('__metadata__ is not an object of strings');
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw fail(`__metadata__ ${JSON.stringify(key)} is not a string`);
    into.set(key, text);
  }
}

function isSizeList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function readEntry(name: string, value: unknown, dataStart: number, fail: Fail): HeaderEntry {
  if (!isObject(value)) throw fail('its header entry is not an object');
  const { dtype: dtypeName, shape, data_offsets: offsets } = value;
  const dtype = typeof dtypeName === 'string' ? dtypeOfSafetensorsName(dtypeName) : undefined;
  if (dtype === undefined) throw fail(`dtype ${JSON.stringify(dtypeName)} is not one of ${readableNames}`);
  if (!isSizeList(shape)) throw fail(`shape ${JSON.stringify(shape)} is not a list of sizes`);
  if (!isSizeList(offsets) || offsets.length !== 2) {
    throw fail(`data_offsets ${JSON.stringify(offsets)} are not two offsets`);
  }
  const [begin, end] = offsets as [number, number];
  const size = elementCount(shape) * (dtype === 'bfloat16' ? 2 : bytesOfDType[dtype]);
  if (end - begin !== size) {
    throw fail(`${dtypeName} of shape [${shape}] takes ${size} bytes, data_offsets [${offsets}] hold ${end - begin}`);
  }
  return { name, dtype, shape, begin: dataStart + begin, end: dataStart + end };
}

/** The tensors must tile the rest of the file: no overlap, no hole, nothing outside. */
function checkCoverage(entries: readonly HeaderEntry[], dataStart: number, fileEnd: number, fail: Fail): void {
  let covered = dataStart;
  let previous = 'the header';
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const quoted = JSON.stringify(name);
    if (end > fileEnd) {
      throw fail(`tensor ${quoted}: ends at byte ${end} of a file of ${fileEnd}. Is the file cut off?`);
    }
    if (begin < covered) throw fail(`tensor ${quoted}: overlaps ${previous} by ${covered - begin} bytes`);
    if (begin > covered) throw fail(`tensor ${quoted}: starts ${begin - covered} bytes after the end of ${previous}`);
    covered = end;
    previous = `tensor ${quoted}`;
  }
  if (covered !== fileEnd) throw fail(`${fileEnd - covered} bytes after the end of ${previous} belong to no tensor`);
}
