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
    return this.#arrays.reduce((total, { byteLength }) => total + byteLength, 0);
  }

  clear(): void {
    this.#arrays.length = 0;
  }
}
