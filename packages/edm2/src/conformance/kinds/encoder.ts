import { Generator, type Tensor } from '@evenkeel/tensor';
import { rgbEncoder } from '../../data/image-encoder.ts';
import { latentsToPixels, pixelsToLatents } from '../../data/rgb.ts';
import { latentAffine, latentsOfMoments, stabilityStatistics } from '../../data/stability-latents.ts';
import type { CaseRunner, Computed, ReferenceCase } from '../reference-case.ts';

/** From stored values to latents, and back: pixels where the case has some, else moments of a VAE. */
export const encoder: CaseRunner = (reference) =>
  reference.has('in', 'pixels') ? rgb(reference) : stabilityVae(reference);

async function rgb(reference: ReferenceCase): Promise<Computed> {
  const pixels = await reference.input('pixels');
  const results: Computed = new Map([['out/latents', encoderOf(pixels).encode(pixels, new Generator(0))]]);
  if (reference.has('in', 'decode_in')) {
    const latents = await reference.input('decode_in');
    const decoded = await encoderOf(latents).decode(latents);
    results.set('out/decode_out', { shape: latents.shape, data: decoded.flatMap((image) => [...image]) });
  }
  // A square picture of every value.
  const values = Uint8Array.from({ length: 256 }, (_, value) => value);
  results.set('out/roundtrip_0_255', { shape: [1, 1, 16, 16], data: latentsToPixels(pixelsToLatents(values)) });
  return results;
}

function encoderOf({ shape }: Tensor) {
  return rgbEncoder(shape[1] === 1 ? 1 : 3);
}

async function stabilityVae(reference: ReferenceCase): Promise<Computed> {
  const affine = latentAffine({
    rawMean: reference.list('raw_mean', stabilityStatistics.rawMean),
    rawStd: reference.list('raw_std', stabilityStatistics.rawStd),
    finalMean: reference.number('final_mean', stabilityStatistics.finalMean),
    finalStd: reference.number('final_std', stabilityStatistics.finalStd),
  });
  const final = latentsOfMoments(await reference.input('raw'), await reference.input('noise'), affine);
  const shape = [affine.scale.length];
  return new Map<string, Tensor | { shape: number[]; data: Float32Array }>([
    ['out/final', final],
    ['out/scale', { shape, data: affine.scale }],
    ['out/bias', { shape, data: affine.bias }],
  ]);
}
