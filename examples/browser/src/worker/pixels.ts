import { latentsToPixels } from '@evenkeel/edm2';

/** Size of the pictures of a batch. */
export interface PictureSize {
  readonly channels: number;
  readonly resolution: number;
}

/** Latents -1 to 1, `[N, C, R, R]`, as RGBA of each picture in turn. */
export function rgbaOf(latents: ArrayLike<number>, { channels, resolution }: PictureSize) {
  const plane = resolution * resolution;
  const pixels = latentsToPixels(latents);
  const count = latents.length / (channels * plane);
  const rgba = new Uint8ClampedArray(count * plane * 4).fill(255);
  for (let picture = 0; picture < count; picture++) {
    for (let color = 0; color < 3; color++) {
      const from = (picture * channels + Math.min(color, channels - 1)) * plane;
      for (let i = 0; i < plane; i++) rgba[(picture * plane + i) * 4 + color] = pixels[from + i] as number;
    }
  }
  return rgba;
}

/**
 * Where a batch is heading: the line through where it was, at noise level `before`, and where it is, at `sigma`, followed to
 * level 0. It is what the denoiser said in the step between the two.
 */
export function expectedEnd(
  previous: ArrayLike<number>,
  before: number,
  current: ArrayLike<number>,
  sigma: number,
): Float32Array {
  const reach = sigma / (before - sigma);
  return Float32Array.from({ length: current.length }, (_, i) => {
    const now = current[i] as number;
    return now + reach * (now - (previous[i] as number));
  });
}

/** A noisy batch with the spread of one without noise, so that noise looks alike at all levels. */
export function atPictureScale(x: ArrayLike<number>, sigma: number, sigmaData = 0.5): Float32Array {
  const scale = sigmaData / Math.hypot(sigmaData, sigma);
  return Float32Array.from({ length: x.length }, (_, i) => (x[i] as number) * (sigma === 0 ? 1 : scale));
}
