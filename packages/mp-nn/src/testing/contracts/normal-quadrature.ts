/** E[f(z)] for z ~ N(0, 1), by the trapezoidal rule on [-12, 12] (exact to rounding for smooth f). */
export function normalExpectation(f: (z: number) => number): number {
  const step = 1 / 128;
  let sum = 0;
  for (let z = -12; z <= 12; z += step) sum += f(z) * Math.exp(-0.5 * z * z);
  return (sum * step) / Math.sqrt(2 * Math.PI);
}
