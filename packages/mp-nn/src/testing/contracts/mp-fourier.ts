import fc from 'fast-check';
import { MPFourier } from '../../layers/mp-fourier.ts';
import type { MagnitudeContract } from '../contract.ts';
import { whiteUnitNormal } from './white.ts';

/** {@link MPFourier}: 1 forward; backward `2 pi bandwidth sqrt(C)`, the slope of C cosines. */
export const mpFourierContract: MagnitudeContract<{ channels: number; bandwidth: number }> = {
  name: 'MPFourier',
  inputLaw: whiteUnitNormal,
  reason: 'each of C outputs has slope sqrt(2) freq sin(...) of RMS 2 pi bandwidth, and C independent ones add up',
  biases: [],
  configurations: fc.record({
    channels: fc.integer({ min: 64, max: 96 }),
    bandwidth: fc.constantFrom(0.5, 1, 2),
  }),
  inputShapes: () => [[96]],
  create: ({ channels, bandwidth }, generator) => new MPFourier(channels, { bandwidth, generator }),
  expected: ({ channels, bandwidth }) => ({
    output: 1,
    inputGradients: [2 * Math.PI * bandwidth * Math.sqrt(channels)],
  }),
};
