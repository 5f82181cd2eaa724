import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { EventFile } from '../../src/node/index.ts';
import { crc32c, maskedCrc32c } from '../../src/node/training/tensorboard/crc32c.ts';
import { encodeEvent, type TrainingEvent } from '../../src/node/training/tensorboard/event.ts';

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-events-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Fields of a message by number, in order; written for the test, from the description of protocol buffers. */
function fieldsOf(bytes: Uint8Array): [field: number, value: number | Uint8Array][] {
  const fields: [number, number | Uint8Array][] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = view.getUint8(at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, type] = [Math.floor(key / 8), key % 8];
    if (type === 0) fields.push([field, varint()]);
    else {
      const length = type === 1 ? 8 : type === 5 ? 4 : varint();
      const value = type === 1 ? view.getFloat64(at, true) : type === 5 ? view.getFloat32(at, true) : undefined;
      fields.push([field, value ?? bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  return fields;
}

const text = (bytes: number | Uint8Array) => new TextDecoder().decode(bytes as Uint8Array);

/** All events of a file, after checking lengths and checksums. */
function decodeEvents(file: Uint8Array): TrainingEvent[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const events: TrainingEvent[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc32c(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc32c(data));
    at += length + 16;
    const fields = new Map(fieldsOf(data));
    const summary = fields.get(5) as Uint8Array | undefined;
    const scalars = summary && fieldsOf(summary).map(([, value]) => new Map(fieldsOf(value as Uint8Array)));
    const start = fields.get(7) as Uint8Array | undefined;
    events.push({
      wallTime: fields.get(1) as number,
      step: fields.get(2) as number,
      ...(fields.has(3) ? { fileVersion: text(fields.get(3)!) } : {}),
      ...(start && { isStart: fieldsOf(start)[0]?.join() === '1,1' }),
      ...(scalars && { scalars: Object.fromEntries(scalars.map((one) => [text(one.get(1)!), one.get(2) as number])) }),
    });
  }
  return events;
}

describe('event files', () => {
  test('CRC-32C has the values of RFC 3720', () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    // The rotation and the constant, worked out by hand for the first value.
    const crc = 0xe3069283n;
    expect(BigInt(maskedCrc32c(new TextEncoder().encode('123456789')))).toBe(
      (((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn,
    );
  });

  test('any event is read back as it was', () => {
    const scalars = fc.dictionary(fc.string({ unit: 'binary' }), fc.float(), { noNullPrototype: true });
    fc.assert(
      fc.property(fc.double(), fc.maxSafeNat(), scalars, (wallTime, step, values) => {
        const named = Object.fromEntries(Object.entries(values));
        expect(decodeEvents(encodeEvent({ wallTime, step, scalars: named }))).toEqual([
          { wallTime, step, scalars: named },
        ]);
      }),
    );
  });

  test('a file begins with its version, and where a run goes on, with that', async () => {
    const events = await EventFile.create(folder, { step: 2048 });
    await events.add(3072, { 'Loss/loss': 0.5, 'Loss/learning_rate': Number.NaN });
    const [version, start, values] = decodeEvents(readFileSync(events.path));
    expect(basename(events.path)).toMatch(/^events\.out\.tfevents\.\d{10}\.\d{3}\./);
    expect(version).toMatchObject({ step: 0, fileVersion: 'brain.Event:2' });
    expect(start).toMatchObject({ step: 2048, isStart: true });
    expect(values).toMatchObject({ step: 3072, scalars: { 'Loss/loss': 0.5, 'Loss/learning_rate': Number.NaN } });
  });
});
