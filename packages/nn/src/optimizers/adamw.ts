import type { Tensor } from '@evenkeel/tensor';
import { Adam, type AdamOptions, type AdamScalars } from './adam.ts';
import type { Trainable } from './optimizer.ts';

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2): p is scaled by
 * 1 - learningRate weightDecay before Adam's step, and the gradient is left alone. Default weight decay 0.01.
 *
 * @example
 * ```ts
 * const model = new Linear(2, 1);
 * const optimizer = new AdamW(model, { learningRate: 3e-4, weightDecay: 0.1 });
 * const loss = model.call(ones([8, 2])).square().mean();
 * optimizer.step(loss);
 * await commit(loss);
 * ```
 */
export class AdamW extends Adam {
  constructor(target: Trainable, options: AdamOptions = {}) {
    super(target, { ...options, weightDecay: options.weightDecay ?? 0.01 });
  }

  protected override decayGradient(_value: Tensor, gradient: Tensor): Tensor {
    return gradient;
  }

  protected override decayValue(value: Tensor, { learningRate, weightDecay }: AdamScalars): Tensor {
    return value.sub(value.mul(learningRate.mul(weightDecay)));
  }
}
