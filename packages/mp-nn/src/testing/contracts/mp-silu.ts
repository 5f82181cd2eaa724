import fc from 'fast-check';
import { mpSilu, siluMagnitude } from '../../functions/mp-silu.ts';
import type { MagnitudeContract } from '../contract.ts';
import { normalExpectation } from './normal-quadrature.ts';
import { elementsPerDraw, repeats, whiteUnitNormal } from './white.ts';

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const silu = (z: number): number => z * sigmoid(z);
const siluSlope = (z: number): number => sigmoid(z) * (1 + z * (1 - sigmoid(z)));

/** {@link mpSilu}: 1.0008 forward, 1.034 backward, by quadrature. */
export const mpSiluContract: MagnitudeContract<{ channels: number; size: number }> = {
  name: 'mpSilu',
  inputLaw: whiteUnitNormal,
  reason: "the slope of SiLU over its own RMS: sqrt(E[silu'(z)^2]) / 0.596 = 1.034",
  biases: ['the constant is 0.596, the RMS of SiLU 0.59647: 1.0008 forward'],
  configurations: fc.record({ channels: fc.integer({ min: 1, max: 64 }), size: fc.integer({ min: 1, max: 8 }) }),
  inputShapes: ({ channels, size }) => [[repeats(elementsPerDraw, channels * size * size), channels, size, size]],
  create: () => (x) => mpSilu(x),
  expected: () => ({
    output: Math.sqrt(normalExpectation((z) => silu(z) ** 2)) / siluMagnitude,
    inputGradients: [Math.sqrt(normalExpectation((z) => siluSlope(z) ** 2)) / siluMagnitude],
  }),
};
