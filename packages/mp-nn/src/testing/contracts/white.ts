/** Input law of every contract here. */
export const whiteUnitNormal = 'independent elements, each N(0, 1)';

/** The deviation that `normalize` leaves by adding its eps to the RMS. */
export const epsBias = 'eps = 1e-4 is added to the RMS: values are lower by 1e-4';

/** How many repetitions make about `elements` of them, at least one. */
export function repeats(elements: number, each: number): number {
  return Math.max(1, Math.ceil(elements / each));
}

/** Elements a draw should have: enough that 32 to 100 draws decide, few enough to be quick. */
export const elementsPerDraw = 4096;
