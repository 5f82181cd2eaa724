/** Bytes of arrays of these lengths. */
export function bytesOf(lengths: readonly number[]): number {
  return lengths.reduce((bytes, length) => bytes + length * Float64Array.BYTES_PER_ELEMENT, 0);
}

/** Scratch arrays that kernels share: each is as large as its largest user, and holds nothing between kernels. */
export class Workspace {
  readonly #arrays: Float64Array[] = [];

  /** Arrays of at least these lengths. */
  take(lengths: readonly number[]): readonly Float64Array[] {
    lengths.forEach((length, i) => {
      if ((this.#arrays[i]?.length ?? -1) < length) this.#arrays[i] = new Float64Array(length);
    });
    return this.#arrays;
  }

  get bytes(): number {
    return bytesOf(this.#arrays.map(({ length }) => length));
  }

  /** Bytes that arrays of these lengths would add. */
  bytesMoreFor(lengths: readonly number[]): number {
    return bytesOf(lengths.map((length, i) => Math.max(0, length - (this.#arrays[i]?.length ?? 0))));
  }

  clear(): void {
    this.#arrays.length = 0;
  }
}
