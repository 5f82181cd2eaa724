/** Optimizers over plain float64 numbers, one weight each, written from the published formulas. */
export type ScalarOptimizer = (weight: number, gradient: number, learningRate: number) => number;

export function referenceSGD(options: { momentum: number; nesterov: boolean; weightDecay: number }): ScalarOptimizer {
  let velocity: number | undefined;
  return (weight, gradient, learningRate) => {
    const g = gradient + options.weightDecay * weight;
    if (options.momentum === 0) return weight - learningRate * g;
    velocity = velocity === undefined ? g : options.momentum * velocity + g;
    return weight - learningRate * (options.nesterov ? g + options.momentum * velocity : velocity);
  };
}

export function referenceAdam(options: {
  betas: readonly [number, number];
  epsilon: number;
  weightDecay: number;
  decoupled: boolean;
}): ScalarOptimizer {
  const [beta1, beta2] = options.betas;
  let m = 0;
  let v = 0;
  let k = 0;
  return (weight, gradient, learningRate) => {
    k++;
    const start = options.decoupled ? weight - learningRate * options.weightDecay * weight : weight;
    const g = options.decoupled ? gradient : gradient + options.weightDecay * weight;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const mHat = m / (1 - beta1 ** k);
    const vHat = v / (1 - beta2 ** k);
    return start - (learningRate * mHat) / (Math.sqrt(vHat) + options.epsilon);
  };
}
