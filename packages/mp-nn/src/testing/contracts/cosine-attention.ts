import fc from 'fast-check';
import { cosineAttention } from '../../functions/cosine-attention.ts';
import type { MagnitudeContract } from '../contract.ts';
import { attentionMoments } from './attention-moments.ts';
import { elementsPerDraw, epsBias, repeats, whiteUnitNormal } from './white.ts';

interface AttentionConfig {
  readonly heads: number;
  readonly perHead: number;
  readonly height: number;
  readonly width: number;
}

/** {@link cosineAttention}: sqrt(E[sum p^2]) forward (0.36 for 16 tokens, 0.10 for 256), by Monte Carlo. */
export const cosineAttentionContract: MagnitudeContract<AttentionConfig> = {
  name: 'cosineAttention',
  inputLaw: whiteUnitNormal,
  reason:
    'for white input the softmax spreads over all T positions, and the mean of independent values shrinks like 1 / sqrt(T); trained attention attends to values that agree',
  biases: [epsBias],
  configurations: fc.record({
    heads: fc.integer({ min: 1, max: 3 }),
    perHead: fc.integer({ min: 8, max: 16 }),
    height: fc.integer({ min: 2, max: 5 }),
    width: fc.integer({ min: 2, max: 5 }),
  }),
  inputShapes: ({ heads, perHead, height, width }) => [
    [repeats(elementsPerDraw, heads * perHead * height * width), heads * perHead * 3, height, width],
  ],
  create:
    ({ heads }) =>
    (qkv) =>
      cosineAttention(qkv!, { heads }),
  expected: ({ perHead, height, width }) => {
    const { output, logitGradient } = attentionMoments(height * width, perHead);
    // Through normalize: 1 / r^2 has mean ch / (ch - 2), the part along the vector is lost.
    const values = (output * (perHead - 1)) / (perHead - 2);
    const queriesAndKeys = (2 * logitGradient) / (perHead - 2);
    return { output: Math.sqrt(output), inputGradients: [Math.sqrt((values + queriesAndKeys) / 3)] };
  },
};
