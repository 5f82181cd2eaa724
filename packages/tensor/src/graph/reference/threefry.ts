const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/**
 * Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a block cipher
 * of two 32-bit words under a key of two, used as a counter-based generator.
 */
export function threefry(
  key: readonly [number, number],
  counter: readonly [number, number],
): [first: number, second: number] {
  const schedule = [key[0] | 0, key[1] | 0, 0x1bd11bda ^ key[0] ^ key[1]] as const;
  let first = (counter[0] + key[0]) | 0;
  let second = (counter[1] + key[1]) | 0;
  for (let round = 0; round < 20; round++) {
    const by = rotations[round % 8] as number;
    first = (first + second) | 0;
    second = ((second << by) | (second >>> (32 - by))) ^ first;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      first = (first + (schedule[injection % 3] as number)) | 0;
      second = (second + (schedule[(injection + 1) % 3] as number) + injection) | 0;
    }
  }
  return [first >>> 0, second >>> 0];
}
