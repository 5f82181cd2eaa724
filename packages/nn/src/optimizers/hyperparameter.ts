/** `value`, or an error naming the option that it is of. */
export function requireAtLeast(where: string, name: string, value: number, least: number): number {
  if (!(value >= least)) throw new Error(`${where}: ${name} must be at least ${least}, got ${value}`);
  return value;
}

/** A decay rate in `0 <= beta < 1`. */
export function requireDecay(where: string, name: string, value: number): number {
  if (!(value >= 0 && value < 1)) throw new Error(`${where}: ${name} must be at least 0 and below 1, got ${value}`);
  return value;
}
