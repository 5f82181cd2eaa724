import { maskedCrc32c } from './crc32c.ts';

/** One entry of an event file. */
export interface TrainingEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  /** What begins every file. */
  readonly fileVersion?: string;
  /** Says that what an earlier file has from this step on is void: a training went on from there. */
  readonly isStart?: boolean;
  /** By tag. */
  readonly scalars?: Readonly<Record<string, number>>;
}

/** Wire types of protocol buffers. */
const [varintType, doubleType, bytesType, floatType] = [0, 1, 2, 5];

/**
 * An event as a record of a TensorBoard file: length, checksum, the message (protocol buffers, `tensorflow.Event`), checksum.
 */
export function encodeEvent(event: TrainingEvent): Uint8Array {
  const { wallTime, step, fileVersion, isStart = false, scalars } = event;
  const fields = [
    tag(1, doubleType),
    numberBytes(8, (view) => view.setFloat64(0, wallTime, true)),
    tag(2, varintType),
    varint(step),
  ];
  if (fileVersion !== undefined) fields.push(message(3, [new TextEncoder().encode(fileVersion)]));
  if (scalars !== undefined) fields.push(message(5, Object.entries(scalars).map(scalarValue)));
  if (isStart) fields.push(message(7, [tag(1, varintType), varint(1)]));
  return record(joined(fields));
}

/** `Summary.Value`: tag and simple_value. */
function scalarValue([name, value]: [string, number]): Uint8Array {
  return message(1, [
    message(1, [new TextEncoder().encode(name)]),
    tag(2, floatType),
    numberBytes(4, (view) => view.setFloat32(0, value, true)),
  ]);
}

function record(data: Uint8Array): Uint8Array {
  const length = numberBytes(8, (view) => view.setBigUint64(0, BigInt(data.length), true));
  const checksum = (bytes: Uint8Array) => numberBytes(4, (view) => view.setUint32(0, maskedCrc32c(bytes), true));
  return joined([length, checksum(length), data, checksum(data)]);
}

function message(field: number, parts: readonly Uint8Array[]): Uint8Array {
  const content = joined(parts);
  return joined([tag(field, bytesType), varint(content.length), content]);
}

function tag(field: number, wireType: number): Uint8Array {
  return varint(field * 8 + wireType);
}

/** Seven bits a byte, lowest first. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.from([...bytes, rest]);
}

function numberBytes(length: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(new DataView(bytes.buffer));
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
