const numbers = new DataView(new ArrayBuffer(8));

/** Bytes that grow as they are written. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What has been written so far: a view, valid until the next write. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  append(bytes: ArrayLike<number>): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** LEB128 of 0 ... 2^32 - 1. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Signed LEB128 of an int32. */
  signed(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  /** Signed LEB128 of an int64. */
  signedLong(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    while (rest < -64n || rest > 63n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest & 0x7fn));
  }

  single(value: number): void {
    numbers.setFloat32(0, value, true);
    for (let i = 0; i < 4; i++) this.byte(numbers.getUint8(i));
  }

  double(value: number): void {
    numbers.setFloat64(0, value, true);
    for (let i = 0; i < 8; i++) this.byte(numbers.getUint8(i));
  }

  /** A name in UTF-8 behind its length. */
  name(text: string): void {
    this.sized(new TextEncoder().encode(text));
  }

  /** Bytes behind their count. */
  sized(bytes: Uint8Array): void {
    this.unsigned(bytes.length);
    this.append(bytes);
  }

  #grow(by: number): void {
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + by));
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}
