import type { Tensor } from '@evenkeel/tensor';
import type { GaussianMixture } from './gaussian-mixture.ts';
import type { ToyModel } from './toy-model.ts';

/**
 * The score-matching loss of each point, `sigma^2 mean((score of the data - score of the network)^2)`, `[N]`. The data's
 * score is known in closed form here, so that nothing of the loss is chance but the points.
 *
 * @param x points with noise, `[N, 2]`.
 * @param sigma the noise's standard deviation at each, `[N]`.
 *
 * Source: arXiv 2406.02507, appendix C.
 *
 * @example
 * ```ts
 * const data = new GaussianMixture([{ weight: 1, mean: [0, 0], covariance: [0.25, 0, 0.25] }]);
 * const net = new ToyModel({ layers: 2, dim: 16 });
 * toyLoss(net, data, tensor([[0.5, 1]]), tensor([0.5])); // [0], what the network starts as
 * ```
 */
export function toyLoss(net: ToyModel, data: GaussianMixture, x: Tensor, sigma: Tensor): Tensor {
  const wanted = data.score(x, sigma);
  return wanted.sub(net.score(x, sigma)).square().mean(1).mul(sigma.square());
}
