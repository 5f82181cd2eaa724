import { inflateSync } from 'fflate';

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
const largestExpansion = 1032;

/** Lists the files of a zip archive (zip64 too; not encrypted, not split). `where` starts every error message. */
export function listZip(bytes: Uint8Array, where: string): ZipEntry[] {
  try {
    return readDirectory(bytes, where);
  } catch (error) {
    throw error instanceof RangeError ? new Error(`${where}: zip directory is cut off or damaged`) : error;
  }
}

function readDirectory(bytes: Uint8Array, where: string): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view, where);
  let count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (end >= 20 && view.getUint32(end - 20, true) === signatures.locator64) {
    const end64 = readUint64(view, end - 12);
    if (view.getUint32(end64, true) !== signatures.end64) throw new RangeError();
    count = readUint64(view, end64 + 32);
    at = readUint64(view, end64 + 48);
  }
  const entries: ZipEntry[] = [];
  for (let i = 0; i < count; i++) {
    if (view.getUint32(at, true) !== signatures.central) throw new RangeError();
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
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
  return entries;
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
  const { name, offset, size, compressedSize, compression } = entry;
  const damaged = () => new Error(`${where}: ${JSON.stringify(name)} is cut off or damaged`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (offset + 30 > bytes.length || view.getUint32(offset, true) !== signatures.local) throw damaged();
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  const packed = bytes.subarray(start, start + compressedSize);
  if (packed.length !== compressedSize) throw damaged();
  let content = packed;
  if (compression === 'deflated') {
    if (size > compressedSize * largestExpansion) throw damaged();
    try {
      content = inflateSync(packed, { out: new Uint8Array(size) });
    } catch {
      throw damaged();
    }
  }
  if (content.length !== size || crc32(content) !== entry.crc32) throw damaged();
  return content;
}

let crcTable: Uint32Array | undefined;

/** The CRC-32 of zip and PNG. */
function crc32(bytes: Uint8Array): number {
  crcTable ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let remainder = n;
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? 0xedb88320 ^ (remainder >>> 1) : remainder >>> 1;
    return remainder;
  });
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
