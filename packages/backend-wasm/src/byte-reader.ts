/** Reads what a `ByteWriter` wrote. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Error('bytes: read behind the end');
    return byte;
  }

  take(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.byte());
  }

  unsigned(): number {
    return Number(BigInt.asUintN(32, this.#leb().value));
  }

  /** An integer of up to 64 bits. */
  signed(): bigint {
    const { value, bits, last } = this.#leb();
    return last & 0x40 ? value - (1n << BigInt(bits)) : value;
  }

  #leb(): { value: bigint; bits: number; last: number } {
    let [value, bits] = [0n, 0];
    for (;;) {
      const last = this.byte();
      value |= BigInt(last & 0x7f) << BigInt(bits);
      bits += 7;
      if (last < 0x80) return { value, bits, last };
    }
  }
}
