/** Reads little-endian numbers and runs of bytes one after the other; never past the end. */
export class ByteCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at: number;

  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** A length; one above what a number holds is past the end of any file. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  /** Pickles hold real numbers with the highest byte first. */
  float64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** A view of the next `count` bytes. */
  take(count: number): Uint8Array {
    const start = this.#advance(count);
    return this.#bytes.subarray(start, start + count);
  }

  /** The bytes up to the next line feed, which is skipped. */
  line(): Uint8Array {
    const end = this.#bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new CutOffError();
    const text = this.#bytes.subarray(this.at, end);
    this.at = end + 1;
    return text;
  }

  #advance(count: number): number {
    const start = this.at;
    if (count > this.#bytes.length - start) throw new CutOffError();
    this.at = start + count;
    return start;
  }
}

/** Something is read that would end after the last byte. */
export class CutOffError extends Error {
  constructor() {
    super('ends in the middle of something. Is the file cut off?');
  }
}
