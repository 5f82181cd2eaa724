/**
 * The error function in float64, within 1e-15: a series of positive terms (Abramowitz & Stegun 7.1.6) near zero, the
 * continued fraction of erfc (7.1.14) further out.
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (!(size <= 6)) return Number.isNaN(x) ? Number.NaN : Math.sign(x);
  return size < 2 ? series(x) : Math.sign(x) * (1 - complement(size));
}

function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** erfc(x) = exp(-x²) / sqrt(pi) * 1 / (x + (1/2) / (x + (2/2) / (x + (3/2) / ...))). */
function complement(x: number): number {
  let fraction = x;
  for (let n = 80; n >= 1; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}
