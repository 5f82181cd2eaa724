import fc from 'fast-check';
import { normalize } from '../../functions/normalize.ts';
import { pixelNorm } from '../../functions/pixel-norm.ts';
import type { ExpectedMagnitude, MagnitudeContract } from '../contract.ts';
import { elementsPerDraw, epsBias, repeats, whiteUnitNormal } from './white.ts';

const reason =
  'over groups of n elements the gradient loses its part along x and is divided by the RMS: (n - 1) / n of it is left, and E[1 / r^2] = n / (n - 2)';

/** Groups of `n` white elements through normalize; exact but for eps. */
function normalizedMagnitude(n: number): ExpectedMagnitude {
  return { output: 1, inputGradients: [Math.sqrt((n - 1) / (n - 2))] };
}

/** {@link normalize} over some axes: 1 forward, sqrt((n - 1) / (n - 2)) backward. */
export const normalizeContract: MagnitudeContract<{ sizes: readonly number[]; axes: readonly number[] }> = {
  name: 'normalize',
  inputLaw: whiteUnitNormal,
  reason,
  biases: [epsBias],
  configurations: fc.record({
    sizes: fc.tuple(fc.integer({ min: 20, max: 40 }), fc.integer({ min: 2, max: 8 })),
    axes: fc.constantFrom([1], [1, 2], [-2], [-1, -2]),
  }),
  inputShapes: ({ sizes }) => [[repeats(elementsPerDraw, sizes[0]! * sizes[1]!), ...sizes]],
  create:
    ({ axes }) =>
    (x) =>
      normalize(x!, { axes }),
  expected: ({ sizes, axes }) => normalizedMagnitude(axes.length === 2 ? sizes[0]! * sizes[1]! : sizes[0]!),
};

/** {@link pixelNorm}: as normalize, over the channels of a pixel. */
export const pixelNormContract: MagnitudeContract<{ channels: number; size: number }> = {
  name: 'pixelNorm',
  inputLaw: whiteUnitNormal,
  reason,
  biases: [epsBias],
  configurations: fc.record({ channels: fc.integer({ min: 16, max: 64 }), size: fc.integer({ min: 1, max: 8 }) }),
  inputShapes: ({ channels, size }) => [[repeats(elementsPerDraw, channels * size * size), channels, size, size]],
  create: () => (x) => pixelNorm(x!),
  expected: ({ channels }) => normalizedMagnitude(channels),
};
