export { classBalanced } from './class-balanced.ts';
export { type ImageDataset, type ImageValues, type PictureSet, subset } from './dataset.ts';
export { decodeEmoji16, type Emoji16, type Emoji16Index, loadEmoji16 } from './emoji16.ts';
export { type HeldOutOptions, type HeldOutSplit, splitHeldOut } from './held-out.ts';
export {
  type ImageEncoder,
  imageEncoderFor,
  rgbEncoder,
  type StabilityVaeEncoderOptions,
  stabilityVaeEncoder,
} from './image-encoder.ts';
export { type ImageGridOptions, imageGrid } from './image-grid.ts';
export { labelRows, labelsOf } from './labels.ts';
export { latentsToPixels, pixelsToLatents } from './rgb.ts';
export type { LatentDecoder } from './stability-latents.ts';
export { type ResizeFilter, resizeImage } from './transform/resize.ts';
export { type TransformName, type TransformOptions, transformImage } from './transform/transform.ts';
export { randomSubset, withMirrored } from './variants.ts';
