import { type Tensor, tensor } from '@evenkeel/tensor';

const { fround } = Math;

/** Channels of the VAE's latent space. */
export const stabilityChannels = 4;

/** Makes pictures of raw latents: the Stable Diffusion VAE, say. */
export interface LatentDecoder {
  /** Raw latents `[N, 4, H, W]` to RGB `[N, 3, 8 H, 8 W]`, 0 to 1 and a little beyond. */
  decode(latents: Tensor): Tensor;
}

/** Mean and standard deviation before, by channel, and after. */
export interface LatentStatistics {
  readonly rawMean: readonly number[];
  readonly rawStd: readonly number[];
  readonly finalMean: number;
  readonly finalStd: number;
}

/** Those of the VAE over ImageNet, and what EDM2 trains on. */
export const stabilityStatistics: LatentStatistics = {
  rawMean: [5.81, 3.25, 0.12, -2.15],
  rawStd: [4.17, 4.62, 3.71, 3.28],
  finalMean: 0,
  finalStd: 0.5,
};

/** `raw * scale + bias`, by channel. */
export interface LatentAffine {
  readonly scale: Float32Array;
  readonly bias: Float32Array;
}

/** The affine map between statistics, computed as float32 arithmetic does. */
export function latentAffine({ rawMean, rawStd, finalMean, finalStd }: LatentStatistics): LatentAffine {
  const scale = Float32Array.from(rawStd, (std) => fround(finalStd) / fround(std));
  const bias = Float32Array.from(rawMean, (mean, c) => fround(finalMean) - fround(fround(mean) * scale[c]!));
  return { scale, bias };
}

const stability = latentAffine(stabilityStatistics);

/** (mean + noise std) scale + bias: `[N, 2 C, H, W]` of means and standard deviations to `[N, C, H, W]`. */
export function latentsOfMoments(moments: Tensor, noise: Tensor, { scale, bias } = stability): Tensor {
  const channels = scale.length;
  const [mean, std] = [moments.slice(null, [0, channels]), moments.slice(null, [channels, 2 * channels])];
  return mean.add(noise.mul(std)).mul(perChannel(scale, moments)).add(perChannel(bias, moments));
}

/** The raw latents of latents, both `[N, 4, H, W]`. */
export function rawLatentsOf(latents: Tensor): Tensor {
  return latents.sub(perChannel(stability.bias, latents)).div(perChannel(stability.scale, latents));
}

function perChannel(values: Float32Array, { dtype }: Tensor): Tensor {
  return tensor(values, { shape: [1, values.length, 1, 1], dtype });
}
