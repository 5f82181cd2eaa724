import type { InputSpec } from './work.ts';

/** The values of an input: a pure function of its name and shape. */
export function inputValues({ name, shape, fill = 'normal' }: InputSpec): Float32Array {
  const uniform = uniformNumbers(`${name} ${shape}`);
  const normal = normalNumbers(uniform);
  const draw = fill === 'normal' ? normal : fill === 'uniform' ? uniform : (index: number) => fill(index, normal);
  const values = new Float32Array(shape.reduce((count, size) => count * size, 1));
  for (let i = 0; i < values.length; i++) values[i] = draw(i);
  return values;
}

/** Mulberry32, seeded by a text. */
function uniformNumbers(seed: string): () => number {
  let state = 0x9e3779b9;
  for (const character of seed) state = Math.imul(state ^ (character.codePointAt(0) as number), 0x85ebca6b) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Box and Muller, both halves used. */
function normalNumbers(uniform: () => number): () => number {
  let kept: number | undefined;
  return () => {
    if (kept !== undefined) {
      const value = kept;
      kept = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    kept = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
