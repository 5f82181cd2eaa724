/** One box of a list of axes: `from` to `to` on each of them. Only one axis is ever cut; those before it are fixed. */
export interface Block {
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly count: number;
}

/**
 * Cuts the row-major positions over `sizes` into boxes of at most `limit` positions (or one of the fastest axis, if that
 * alone is more), in order. Boxes along one axis are as equal as can be.
 */
export class Blocking {
  readonly #sizes: readonly number[];
  /** The axis that is cut. Axes before it are fixed in a block, those after it whole. */
  readonly pivot: number;
  readonly count: number;
  /** Positions of the largest block. */
  readonly largest: number;
  readonly #inner: number;
  readonly #cuts: number;

  constructor(sizes: readonly number[], limit: number) {
    this.#sizes = sizes;
    let pivot = sizes.length;
    let inner = 1;
    while (pivot > 0 && inner * (sizes[pivot - 1] as number) <= limit) inner *= sizes[--pivot] as number;
    if (pivot === 0) {
      this.pivot = 0;
      this.#inner = sizes.length === 0 ? 1 : inner / ((sizes[0] as number) || 1);
      this.#cuts = 1;
      this.count = sizes.includes(0) ? 0 : 1;
      this.largest = sizes.includes(0) ? 0 : inner;
      return;
    }
    this.pivot = pivot - 1;
    this.#inner = inner;
    const size = sizes[this.pivot] as number;
    this.#cuts = Math.ceil(size / Math.max(1, Math.floor(limit / inner)));
    this.count = sizes.slice(0, this.pivot).reduce((product, other) => product * other, this.#cuts);
    this.largest = Math.ceil(size / this.#cuts) * inner;
  }

  block(number: number): Block {
    const sizes = this.#sizes;
    const [from, to] = [sizes.map(() => 0), [...sizes]];
    if (sizes.length === 0) return { from, to, count: 1 };
    const cut = number % this.#cuts;
    const size = sizes[this.pivot] as number;
    from[this.pivot] = Math.floor((size * cut) / this.#cuts);
    to[this.pivot] = Math.floor((size * (cut + 1)) / this.#cuts);
    let rest = Math.floor(number / this.#cuts);
    for (let axis = this.pivot - 1; axis >= 0; axis--) {
      from[axis] = rest % (sizes[axis] as number);
      to[axis] = (from[axis] as number) + 1;
      rest = Math.floor(rest / (sizes[axis] as number));
    }
    const count = ((to[this.pivot] as number) - (from[this.pivot] as number)) * this.#inner;
    return { from, to, count };
  }
}
