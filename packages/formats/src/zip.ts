import { inflateSync } from 'fflate';
import { crc32 } from './crc32.ts';

/** One file of a zip archive, as its central directory lists it. */
export interface ZipEntry {
  readonly name: string;
  readonly compression: 'stored' | 'deflated';
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Where its local header starts, in bytes from the start of the archive. */
  readonly offset: number;
}

const signatures = {
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
  central: 0x02014b50,
  local: 0x04034b50,
};
/** Deflate cannot expand more than this; a larger claim is not worth an allocation. */
export const largestExpansion = 1032;

/** As much of the end of an archive as may hold the record of its directory: the longest comment, and the zip64 record. */
export const endBytes = 22 + 65535 + 20 + 56;
/** Of every file, before its name. */
export const localHeaderBytes = 30;

/** Where the central directory of an archive stands. */
export interface ZipDirectory {
  readonly count: number;
  readonly offset: number;
  readonly size: number;
}

/** Lists the files of a zip archive (zip64 too; not encrypted, not split). `where` starts every error message. */
export function listZip(bytes: Uint8Array, where: string): ZipEntry[] {
  const { count, offset } = findDirectory(bytes, bytes.length, where);
  return readDirectory(bytes.subarray(offset), count, where);
}

/** Finds the directory from the last bytes of an archive, {@link endBytes} of them where it has as many. */
export function findDirectory(tail: Uint8Array, archiveBytes: number, where: string): ZipDirectory {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const end = findEnd(view, where);
  let directory = {
    count: view.getUint16(end + 10, true),
    size: view.getUint32(end + 12, true),
    offset: view.getUint32(end + 16, true),
  };
  try {
    if (end >= 20 && view.getUint32(end - 20, true) === signatures.locator64) {
      const end64 = readUint64(view, end - 12) - (archiveBytes - tail.length);
      if (view.getUint32(end64, true) !== signatures.end64) throw new RangeError();
      directory = {
        count: readUint64(view, end64 + 32),
        size: readUint64(view, end64 + 40),
        offset: readUint64(view, end64 + 48),
      };
    }
    if (directory.offset + directory.size > archiveBytes) throw new RangeError();
    return directory;
  } catch (error) {
    throw damagedDirectory(error, where);
  }
}

/** The entries of a central directory. */
export function readDirectory(bytes: Uint8Array, count: number, where: string): ZipEntry[] {
  try {
    return readEntries(bytes, count, where);
  } catch (error) {
    throw damagedDirectory(error, where);
  }
}

function damagedDirectory(error: unknown, where: string): unknown {
  return error instanceof RangeError ? new Error(`${where}: zip directory is cut off or damaged`) : error;
}

function readEntries(bytes: Uint8Array, count: number, where: string): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: ZipEntry[] = [];
  const decoder = new TextDecoder();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (view.getUint32(at, true) !== signatures.central) throw new RangeError();
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const name = decoder.decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const method = view.getUint16(at + 10, true);
    if (view.getUint16(at + 8, true) & 1) throw new Error(`${where}: ${JSON.stringify(name)} is encrypted`);
    if (method !== 0 && method !== 8) {
      throw new Error(
        `${where}: ${JSON.stringify(name)} uses compression method ${method}, neither stored nor deflated`,
      );
    }
    entries.push({
      name,
      compression: method === 0 ? 'stored' : 'deflated',
      crc32: view.getUint32(at + 16, true),
      ...readSizes(view, at, at + 46 + nameLength, extraLength),
    });
    at += 46 + nameLength + extraLength + view.getUint16(at + 32, true);
  }
  checkOverlaps(entries, where);
  return entries;
}

/** Files that share their bytes would unpack to far more than the archive can hold. */
function checkOverlaps(entries: readonly ZipEntry[], where: string): void {
  let [covered, previous] = [0, ''];
  for (const { name, offset, compressedSize } of [...entries].sort((a, b) => a.offset - b.offset)) {
    if (offset < covered) {
      throw new Error(`${where}: ${JSON.stringify(name)} overlaps ${JSON.stringify(previous)}. Is it damaged?`);
    }
    covered = offset + localHeaderBytes + compressedSize;
    previous = name;
  }
}

function findEnd(view: DataView, where: string): number {
  const first = Math.max(0, view.byteLength - 22 - 65535);
  for (let at = view.byteLength - 22; at >= first; at--) {
    if (view.getUint32(at, true) === signatures.end) return at;
  }
  throw new Error(`${where}: not a zip archive, or cut off: no end of directory`);
}

/** Fields that do not fit 32 bits stand in the zip64 extra field, in this order, and only those. */
function readSizes(view: DataView, at: number, extraStart: number, extraLength: number) {
  let wide = extraStart;
  const extraEnd = extraStart + extraLength;
  while (wide + 4 <= extraEnd && view.getUint16(wide, true) !== 1) wide += 4 + view.getUint16(wide + 2, true);
  wide += 4;
  const field = (position: number): number => {
    const narrow = view.getUint32(position, true);
    if (narrow !== 0xffffffff || wide + 8 > extraEnd) return narrow;
    wide += 8;
    return readUint64(view, wide - 8);
  };
  const size = field(at + 24);
  const compressedSize = field(at + 20);
  return { size, compressedSize, offset: field(at + 42) };
}

function readUint64(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError();
  return Number(value);
}

/** The content of one listed file; its checksum is verified. A stored file is a view into `bytes`. */
export function readZipEntry(bytes: Uint8Array, entry: ZipEntry, where: string): Uint8Array {
  const header = bytes.subarray(entry.offset, entry.offset + localHeaderBytes);
  const start = entry.offset + contentOffset(header, entry, where);
  return unpackZipEntry(bytes.subarray(start, start + entry.compressedSize), entry, where);
}

/** Where content starts, in bytes from the start of its local header. */
export function contentOffset(header: Uint8Array, entry: ZipEntry, where: string): number {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (header.length < localHeaderBytes || view.getUint32(0, true) !== signatures.local) throw damaged(entry, where);
  return localHeaderBytes + view.getUint16(26, true) + view.getUint16(28, true);
}

/** The content of one listed file, from its stored bytes; its checksum is verified. */
export function unpackZipEntry(packed: Uint8Array, entry: ZipEntry, where: string): Uint8Array {
  const { size, compressedSize, compression } = entry;
  if (packed.length !== compressedSize) throw damaged(entry, where);
  let content = packed;
  if (compression === 'deflated') {
    if (size > compressedSize * largestExpansion) throw damaged(entry, where);
    try {
      content = inflateSync(packed, { out: new Uint8Array(size) });
    } catch {
      throw damaged(entry, where);
    }
  }
  if (content.length !== size || crc32(content) !== entry.crc32) throw damaged(entry, where);
  return content;
}

/** What stands for a file that cannot be read back. */
export function damaged({ name }: ZipEntry, where: string): Error {
  return new Error(`${where}: ${JSON.stringify(name)} is cut off or damaged`);
}
