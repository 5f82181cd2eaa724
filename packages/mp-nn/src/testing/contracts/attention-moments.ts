import { hostRandom } from '../statistics/simulate.ts';

/** Second moments of cosine attention with `tokens` positions and `channels` a head, for white input. */
export interface AttentionMoments {
  /** E[sum_k p_k^2]: mean square of the output, since values are independent with mean square 1. */
  readonly output: number;
  /** Mean squared length of the gradient by one normalized query (and key), without its part along it. */
  readonly logitGradient: number;
}

const known = new Map<string, AttentionMoments>();

/**
 * By float64 Monte Carlo over the logits of one query (0.1% of the RMS or better); the values and the output's
 * gradient are integrated by hand.
 *
 * Keys normalized over ch channels lie uniformly on a sphere, so with u the cosine of the angle to the query the
 * logits are sqrt(ch) u, independent of each other. With p = softmax(logits), v the normalized values and g the
 * output's gradient, dL_k = p_k g . (v_k - sum_j p_j v_j), whose variance is p_k^2 ch (1 - 2 p_k + sum_j p_j^2); the
 * part of key k across the query has squared length ch (1 - u_k^2), and different keys' parts are uncorrelated.
 */
export function attentionMoments(tokens: number, channels: number, logitSamples = 1e6): AttentionMoments {
  const name = `${tokens} ${channels} ${logitSamples}`;
  const found = known.get(name);
  if (found) return found;
  const random = hostRandom(0x9e3779b9);
  const cosines = new Float64Array(tokens);
  const weights = new Float64Array(tokens);
  const queries = Math.ceil(logitSamples / tokens);
  let output = 0;
  let logitGradient = 0;
  for (let query = 0; query < queries; query++) {
    let total = 0;
    for (let k = 0; k < tokens; k++) {
      cosines[k] = sphereCosine(channels, random);
      weights[k] = Math.exp(Math.sqrt(channels) * cosines[k]!);
      total += weights[k]!;
    }
    let squares = 0;
    for (let k = 0; k < tokens; k++) {
      weights[k] = weights[k]! / total;
      squares += weights[k]! ** 2;
    }
    output += squares;
    for (let k = 0; k < tokens; k++) {
      logitGradient += weights[k]! ** 2 * (1 - 2 * weights[k]! + squares) * channels * (1 - cosines[k]! ** 2);
    }
  }
  const moments = { output: output / queries, logitGradient: logitGradient / queries };
  known.set(name, moments);
  return moments;
}

/** Cosine of the angle between a random direction in `dimension` >= 3 dimensions and a fixed one (Ulrich and Wood). */
function sphereCosine(dimension: number, random: () => number): number {
  // A symmetric beta variable on [-1, 1] with both shapes (dimension - 1) / 2: Devroye's closed form.
  const radius = Math.sqrt(1 - random() ** (2 / (dimension - 2)));
  return radius * Math.cos(2 * Math.PI * random());
}
