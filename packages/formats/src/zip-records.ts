/** A stored file of an archive that is being written. */
export interface StoredEntry {
  readonly name: string;
  readonly crc32: number;
  readonly size: number;
  /** Where its local header starts. */
  readonly offset: number;
}

/** What a field of 32 or 16 bits says when the value stands in a zip64 field. */
const wide = { u32: 0xffffffff, u16: 0xffff };
/** The most that a file may have without zip64 fields of its own. */
export const mostEntryBytes = wide.u32 - 1;
/** Version 4.5 reads zip64, version 2.0 folders. */
const versions = { zip64: 45, plain: 20 };
/** Names are UTF-8. */
const utf8Flag = 0x800;
/** 1 January 1980, midnight: the first day that the format knows. */
const date = (1 << 5) | 1;

/** What stands before the content of a file. */
export function localHeader(entry: StoredEntry): Uint8Array {
  return record(0x04034b50, [[2, versions.plain], ...entryFields(entry), [2, 0]], entry.name);
}

/** What the directory says of a file. */
export function centralRecord(entry: StoredEntry): Uint8Array {
  const { offset } = entry;
  const isWide = offset >= wide.u32;
  const extra = isWide
    ? fields([
        [2, 1],
        [2, 8],
        [8, offset],
      ])
    : new Uint8Array();
  const version = isWide ? versions.zip64 : versions.plain;
  return record(
    0x02014b50,
    [
      [2, version],
      [2, version],
      ...entryFields(entry),
      [2, extra.length],
      [2, 0],
      [2, 0],
      [2, 0],
      [4, 0],
      [4, Math.min(offset, wide.u32)],
    ],
    entry.name,
    extra,
  );
}

/** What its header and the directory both say of a file. */
function entryFields({ name, crc32, size }: StoredEntry): Field[] {
  return [
    [2, utf8Flag],
    [2, 0], // stored
    [2, 0],
    [2, date],
    [4, crc32],
    [4, size],
    [4, size],
    [2, byteLength(name)],
  ];
}

/** What ends an archive, zip64 where the directory needs it. */
export function endRecords(count: number, offset: number, size: number): Uint8Array {
  const isWide = count >= wide.u16 || offset >= wide.u32 || size >= wide.u32;
  const end = record(0x06054b50, [
    [2, 0],
    [2, 0],
    [2, Math.min(count, wide.u16)],
    [2, Math.min(count, wide.u16)],
    [4, Math.min(size, wide.u32)],
    [4, Math.min(offset, wide.u32)],
    [2, 0],
  ]);
  if (!isWide) return end;
  const end64 = record(0x06064b50, [
    [8, 44], // of this record, behind this field
    [2, versions.zip64],
    [2, versions.zip64],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, size],
    [8, offset],
  ]);
  const locator = record(0x07064b50, [
    [4, 0],
    [8, offset + size],
    [4, 1],
  ]);
  return joined([end64, locator, end]);
}

type Field = readonly [bytes: 2 | 4 | 8, value: number];

function record(signature: number, own: readonly Field[], name = '', extra: Uint8Array = new Uint8Array()): Uint8Array {
  return joined([fields([[4, signature], ...own]), new TextEncoder().encode(name), extra]);
}

/** Little-endian numbers, one behind the other. */
function fields(all: readonly Field[]): Uint8Array {
  const bytes = new Uint8Array(all.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of all) {
    if (size === 2) view.setUint16(at, value, true);
    else if (size === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += size;
  }
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
