import type { Tensor } from '@evenkeel/tensor';
import fc from 'fast-check';
import { MPLinear } from '../../layers/mp-linear.ts';
import type { MagnitudeContract } from '../contract.ts';
import { elementsPerDraw, epsBias, repeats, whiteUnitNormal } from './white.ts';

interface LinearConfig {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly gain: number;
}

/** {@link MPLinear}: `gain` forward, `gain sqrt(out / in)` backward, exactly. */
export const mpLinearContract: MagnitudeContract<LinearConfig> = {
  name: 'MPLinear',
  inputLaw: whiteUnitNormal,
  reason: 'rows of the weight are unit vectors, so all its squares sum to `out`, and each input meets out / in of them',
  biases: [epsBias],
  configurations: fc.record({
    inFeatures: fc.integer({ min: 3, max: 96 }),
    outFeatures: fc.integer({ min: 3, max: 96 }),
    gain: fc.constantFrom(1, 0.5, 3),
  }),
  inputShapes: ({ inFeatures, outFeatures }) => [
    [repeats(elementsPerDraw, Math.min(inFeatures, outFeatures)), inFeatures],
  ],
  create: ({ inFeatures, outFeatures, gain }, generator) => {
    const layer = new MPLinear(inFeatures, outFeatures, { generator });
    return { call: (x: Tensor) => layer.call(x, gain), dispose: () => layer.dispose() };
  },
  expected: ({ inFeatures, outFeatures, gain }) => ({
    output: gain,
    inputGradients: [gain * Math.sqrt(outFeatures / inFeatures)],
  }),
};
