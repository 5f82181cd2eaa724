import type { WgslFunction } from './functions.ts';

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** The rounds of Threefry-2x32-20, written out: a loop would index the keys by a variable. */
function rounds(): string {
  const lines: string[] = [];
  for (let group = 0; group < 5; group++) {
    for (const by of rotations[group % 2] as readonly number[]) {
      lines.push(`x0 += x1; x1 = ((x1 << ${by}u) | (x1 >> ${32 - by}u)) ^ x0;`);
    }
    lines.push(`x0 += k${(group + 1) % 3}; x1 += k${(group + 2) % 3} + ${group + 1}u;`);
  }
  return lines.map((line) => `  ${line}`).join('\n');
}

/** Random bits: the same on every device, since they are made of whole numbers alone. */
export const randomFunctions = {
  /** First word of Threefry-2x32-20 (Salmon et al., SC 2011) of counter (element, stream) under a key. */
  threefry: {
    code: `
fn threefry(k0: u32, k1: u32, element: u32, stream: u32) -> u32 {
  let k2 = 0x1bd11bdau ^ k0 ^ k1;
  var x0 = element + k0;
  var x1 = stream + k1;
${rounds()}
  return x0;
}`,
  },
} as const satisfies Record<string, WgslFunction>;
