/** Draws of a stream that a few whole numbers fix; for host-side shuffling, not for tensors. */
export interface SeededRandom {
  /** A whole number, `0 <= n < limit`, all equally likely; limit at most 2^32. */
  below(limit: number): number;
}

/** The stream of `words`, each a whole number below 2^53: sfc32 (Doty-Humphrey) seeded through a 32-bit mixer. */
export function seededRandom(...words: readonly number[]): SeededRandom {
  let hash = 0x9e3779b9;
  for (const word of words) {
    hash = mix(hash ^ (word >>> 0));
    hash = mix(hash ^ Math.floor(word / 2 ** 32));
  }
  let a = hash;
  let b = mix(a ^ 0x243f6a88);
  let c = mix(b ^ 0x85a308d3);
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return t >>> 0;
  };
  for (let round = 0; round < 12; round++) next();
  return {
    below(limit) {
      // Draws above the largest multiple of limit would make small numbers likelier.
      const end = 2 ** 32 - (2 ** 32 % limit);
      let draw = next();
      while (draw >= end) draw = next();
      return draw % limit;
    },
  };
}

/** Avalanche of 32 bits (murmur3's finalizer). */
function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
