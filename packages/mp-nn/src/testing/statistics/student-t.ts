/** ln Γ(x) for x > 0 (Lanczos, g = 7; relative error below 1e-14). */
function logGamma(x: number): number {
  const coefficients = [
    676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
    -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  const z = x - 1;
  let sum = 0.99999999999980993;
  coefficients.forEach((coefficient, index) => {
    sum += coefficient / (z + index + 1);
  });
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** The continued fraction of the incomplete beta function, by the modified Lentz method. */
function betaFraction(x: number, a: number, b: number): number {
  const floor = 1e-300;
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  d = 1 / (Math.abs(d) < floor ? floor : d);
  let result = d;
  for (let m = 1; m <= 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    for (const step of [even, odd]) {
      d = 1 + step * d;
      d = 1 / (Math.abs(d) < floor ? floor : d);
      c = 1 + step / c;
      if (Math.abs(c) < floor) c = floor;
      result *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return result;
}

/** The regularized incomplete beta function I_x(a, b), accurate in its far tails. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b;
}

/**
 * P(T > t) of Student's t with `degrees` degrees of freedom, for t >= 0; relative precision holds far out in the tail.
 *
 * @example
 * ```ts
 * studentTail(2.0422724563012373, 30); // 0.025
 * ```
 */
export function studentTail(t: number, degrees: number): number {
  return 0.5 * incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

/**
 * The t with P(T > t) = `tail` (0 < tail <= 0.5), by bisection.
 *
 * @throws unless 0 < tail <= 0.5.
 *
 * @example
 * ```ts
 * studentQuantile(0.025, 30); // 2.0422724563
 * ```
 */
export function studentQuantile(tail: number, degrees: number): number {
  if (!(tail > 0 && tail <= 0.5)) throw new Error(`studentQuantile: tail must lie in (0, 0.5], got ${tail}`);
  let low = 0;
  let high = 1;
  while (studentTail(high, degrees) > tail) high *= 2;
  for (let step = 0; step < 100 && high - low > 1e-12 * high; step++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, degrees) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
