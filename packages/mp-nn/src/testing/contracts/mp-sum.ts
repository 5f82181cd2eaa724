import fc from 'fast-check';
import { mpSum } from '../../functions/mp-sum.ts';
import type { MagnitudeContract } from '../contract.ts';
import { elementsPerDraw, repeats, whiteUnitNormal } from './white.ts';

/** {@link mpSum}: 1 forward; backward each input's own share. */
export const mpSumContract: MagnitudeContract<{ features: number; t: number }> = {
  name: 'mpSum',
  inputLaw: whiteUnitNormal,
  reason: 'gradients are the shares of the inputs, (1 - t) and t over sqrt((1 - t)^2 + t^2); their squares sum to 1',
  biases: [],
  configurations: fc.record({
    features: fc.integer({ min: 1, max: 64 }),
    t: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
  }),
  inputShapes: ({ features }) => {
    const shape = [repeats(elementsPerDraw, features), features];
    return [shape, shape];
  },
  create:
    ({ t }) =>
    (...[a, b]) =>
      mpSum(a!, b!, t),
  expected: ({ t }) => {
    const magnitude = Math.hypot(1 - t, t);
    return { output: 1, inputGradients: [(1 - t) / magnitude, t / magnitude] };
  },
};
