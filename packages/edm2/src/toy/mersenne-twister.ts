const size = 624;
const middle = 397;

/**
 * The Mersenne Twister MT19937 with the normal numbers that NumPy's `RandomState` draws from it: published figures that
 * were seeded there can be drawn again, to the bit. For new work take `Generator`.
 *
 * Sources: Matsumoto and Nishimura, "Mersenne Twister" (1998), with the seeding of 2002; Marsaglia's polar method.
 *
 * @throws RangeError unless the seed is a whole number of 32 bits.
 *
 * @example
 * ```ts
 * new MersenneTwister(2).normal(); // -0.4167578
 * ```
 */
export class MersenneTwister {
  readonly #state = new Uint32Array(size);
  #next = size;
  /** The polar method makes two numbers at once. */
  #spare: number | undefined;

  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
      throw new RangeError(`MersenneTwister: seed must be a whole number of 32 bits, got ${seed}`);
    }
    this.#state[0] = seed;
    for (let i = 1; i < size; i++) {
      const last = this.#state[i - 1]!;
      this.#state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
    }
  }

  /** 32 random bits. */
  bits(): number {
    if (this.#next === size) this.#twist();
    let word = this.#state[this.#next++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  /** Equally likely from 0 to below 1, in steps of 2^-53. */
  uniform(): number {
    const high = this.bits() >>> 5;
    return (high * 2 ** 26 + (this.bits() >>> 6)) / 2 ** 53;
  }

  /** A unit normal number. */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spare = scale * x;
      return scale * y;
    }
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < size; i++) {
      const word = (state[i]! & 0x80000000) | (state[(i + 1) % size]! & 0x7fffffff);
      state[i] = state[(i + middle) % size]! ^ (word >>> 1) ^ (word & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }
}
