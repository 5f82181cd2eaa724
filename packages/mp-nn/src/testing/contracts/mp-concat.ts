import fc from 'fast-check';
import { mpConcat } from '../../functions/mp-concat.ts';
import type { MagnitudeContract } from '../contract.ts';
import { elementsPerDraw, repeats, whiteUnitNormal } from './white.ts';

/** {@link mpConcat}: 1 over all channels; each part, and so each gradient, is scaled by its share. */
export const mpConcatContract: MagnitudeContract<{ first: number; second: number; size: number; t: number }> = {
  name: 'mpConcat',
  inputLaw: whiteUnitNormal,
  reason:
    'with C = sqrt((Na + Nb) / ((1 - t)^2 + t^2)) the parts have RMS (1 - t) C / sqrt(Na) and t C / sqrt(Nb), and gradients are scaled like the parts',
  biases: [],
  configurations: fc.record({
    first: fc.integer({ min: 2, max: 40 }),
    second: fc.integer({ min: 2, max: 40 }),
    size: fc.integer({ min: 1, max: 4 }),
    t: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
  }),
  inputShapes: ({ first, second, size }) => {
    const batch = repeats(elementsPerDraw, Math.min(first, second) * size * size);
    return [first, second].map((channels) => [batch, channels, size, size]);
  },
  create:
    ({ t }) =>
    (...[a, b]) =>
      mpConcat(a!, b!, { t }),
  expected: ({ first, second, t }) => {
    const scale = Math.sqrt((first + second) / ((1 - t) ** 2 + t ** 2));
    return {
      output: 1,
      inputGradients: [((1 - t) * scale) / Math.sqrt(first), (t * scale) / Math.sqrt(second)],
    };
  },
};
