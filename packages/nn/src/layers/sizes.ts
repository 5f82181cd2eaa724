/**
 * Throws unless every named size is a whole number of at least 1.
 *
 * @example
 * ```ts
 * requireSizes('Mlp', { features: 64, hidden: 128 }); // in the constructor of a layer
 * ```
 */
export function requireSizes(layer: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (!Number.isInteger(size) || size < 1) {
      throw new Error(`${layer}: ${name} must be a whole number of at least 1, got ${size}`);
    }
  }
}

/** A probability to drop: `0 <= value < 1`. */
export function requireProbability(layer: string, name: string, value: number): number {
  if (!(value >= 0 && value < 1)) throw new Error(`${layer}: ${name} must be at least 0 and below 1, got ${value}`);
  return value;
}

/** Throws unless `size` divides by `parts`. */
export function requireDivides(layer: string, name: string, size: number, partsName: string, parts: number): void {
  if (size % parts !== 0) {
    throw new Error(
      `${layer}: ${name} ${size} does not divide into ${parts} ${partsName}. Choose a divisor of ${size}`,
    );
  }
}

/** One number for both spatial axes, or one for each. */
export function pairOf(value: number | readonly [number, number]): [number, number] {
  return typeof value === 'number' ? [value, value] : [value[0], value[1]];
}
