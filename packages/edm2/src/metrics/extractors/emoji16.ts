import { tensor } from '@evenkeel/tensor';
import { pixelsToLatents } from '../../data/rgb.ts';
import type { Classifier } from '../classifier.ts';
import { resizeBicubic } from '../resize.ts';
import type { FeatureExtractor } from './feature-extractor.ts';

/** Side of the pictures that the classifier was trained on. */
const resolution = 16;

/**
 * The features of the classifier of emoji that ships with this package, before its last layer: what FD-small compares.
 * They know emoji of 16 x 16 pixels; pictures of other sizes are resized to that.
 *
 * @example
 * ```ts
 * using classifier = await loadEmoji16Classifier();
 * const extractor = emoji16Features(classifier);
 * const features = await extractor.features({ shape: [2, 3, 16, 16], data: new Uint8Array(1536) });
 * features.length === 2 * extractor.featureDim; // true
 * ```
 */
export function emoji16Features(classifier: Classifier): FeatureExtractor {
  return {
    name: 'emoji16',
    featureDim: classifier.featureDim,
    async features({ shape, data }) {
      const [count, channels, height, width] = shape;
      const isSmall = height === resolution && width === resolution;
      // Resizing may leave the range of pixels; the classifier takes any numbers.
      const latents = pixelsToLatents(isSmall ? data : resizeBicubic({ shape, data }, resolution, resolution));
      const images = tensor(latents, { shape: [count, channels, resolution, resolution] });
      return (await classifier.features(images).data()) as Float32Array;
    },
  };
}
