import fc from 'fast-check';
import { type ResampleMode, resample } from '../../functions/resample.ts';
import type { MagnitudeContract } from '../contract.ts';
import { correlationMatrix, squaredNorm, transposed } from './linear-map.ts';
import { elementsPerDraw, repeats, whiteUnitNormal } from './white.ts';

interface ResampleConfig {
  readonly mode: ResampleMode;
  readonly filter: readonly number[];
  readonly height: number;
  readonly width: number;
}

/** {@link resample}: 1/2 forward and backward for 2x2 averages; others from the filter's exact squared norm. */
export const resampleContract: MagnitudeContract<ResampleConfig> = {
  name: 'resample',
  inputLaw: whiteUnitNormal,
  reason:
    'averaging white noise makes it smaller (1/2 for 2x2 pixels), on purpose: pictures are smooth, not white. Repeating keeps the RMS and sums four gradients',
  biases: [],
  configurations: fc.record({
    mode: fc.constantFrom<ResampleMode>('keep', 'down', 'up'),
    filter: fc.constantFrom([1, 1], [1, 3, 3, 1], [1, 2], [1, 4, 6, 6, 4, 1]),
    height: fc.integer({ min: 2, max: 6 }).map((half) => half * 2),
    width: fc.integer({ min: 2, max: 6 }).map((half) => half * 2),
  }),
  inputShapes: ({ height, width }) => [[repeats(elementsPerDraw, 4 * height * width) * 2, 4, height, width]],
  create:
    ({ mode, filter }) =>
    (x) =>
      resample(x!, { mode, filter }),
  expected: ({ mode, filter, height, width }) => {
    if (mode === 'keep') return { output: 1, inputGradients: [1] };
    const sum = filter.reduce((total, tap) => total + tap, 0);
    const gain = mode === 'up' ? 2 : 1;
    const taps = filter.map((tap) => (tap / sum) * gain);
    const padding = filter.length / 2 - 1;
    const norm = [height, width].reduce((product, size) => {
      const inputs = mode === 'up' ? size * 2 : size;
      const down = correlationMatrix(inputs, taps, 2, padding);
      return product * squaredNorm(mode === 'up' ? transposed(down) : down);
    }, 1);
    const inputs = height * width;
    const outputs = mode === 'up' ? inputs * 4 : inputs / 4;
    return { output: Math.sqrt(norm / outputs), inputGradients: [Math.sqrt(norm / inputs)] };
  },
};
