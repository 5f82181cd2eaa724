import type { Tensor } from '@evenkeel/tensor';
import fc from 'fast-check';
import { MPConv } from '../../layers/mp-conv.ts';
import type { MagnitudeContract } from '../contract.ts';
import { correlationMatrix, squaredNorm } from './linear-map.ts';
import { elementsPerDraw, epsBias, repeats, whiteUnitNormal } from './white.ts';

interface ConvConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: readonly [number, number];
  readonly height: number;
  readonly width: number;
  readonly gain: number;
}

/**
 * Mean share of a kernel's taps that fall inside an axis of `size` pixels when the size is kept by zero padding.
 *
 * @example
 * ```ts
 * insideShare(4, 3) ** 2; // 0.694444, of a 3x3 kernel on 4x4 pixels
 * ```
 */
export function insideShare(size: number, kernel: number): number {
  const taps = new Array<number>(kernel).fill(1);
  return squaredNorm(correlationMatrix(size, taps, 1, (kernel - 1) / 2)) / (size * kernel);
}

/** {@link MPConv}: `gain` times the root of the share of taps that see pixels, not padding; backward sqrt(out / in) more. */
export const mpConvContract: MagnitudeContract<ConvConfig> = {
  name: 'MPConv',
  inputLaw: whiteUnitNormal,
  reason:
    'at the border some taps of the kernel read padding zeros: of a 3x3 kernel on 4x4 pixels 69% read pixels, so the RMS is 0.83. Gradients go by out / in, as in a linear layer',
  biases: [epsBias],
  configurations: fc.record({
    inChannels: fc.integer({ min: 2, max: 16 }),
    outChannels: fc.integer({ min: 2, max: 16 }),
    kernel: fc.constantFrom<readonly [number, number]>([1, 1], [3, 3], [3, 3], [5, 5], [1, 3], [5, 1]),
    height: fc.integer({ min: 3, max: 12 }),
    width: fc.integer({ min: 3, max: 12 }),
    gain: fc.constantFrom(1, 0.5),
  }),
  inputShapes: ({ inChannels, outChannels, height, width }) => [
    [repeats(elementsPerDraw / 2, Math.min(inChannels, outChannels) * height * width), inChannels, height, width],
  ],
  create: ({ inChannels, outChannels, kernel, gain }, generator) => {
    const layer = new MPConv(inChannels, outChannels, { kernel, generator });
    return { call: (x: Tensor) => layer.call(x, gain), dispose: () => layer.dispose() };
  },
  expected: ({ inChannels, outChannels, kernel, height, width, gain }) => {
    const share = insideShare(height, kernel[0]) * insideShare(width, kernel[1]);
    const output = gain * Math.sqrt(share);
    return { output, inputGradients: [output * Math.sqrt(outChannels / inChannels)] };
  },
};
