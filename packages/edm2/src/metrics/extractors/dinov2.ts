import { resizeBicubic } from '../resize.ts';
import type { FeatureExtractor, PixelBatch } from './feature-extractor.ts';
import { type OnnxNetwork, runOnnx } from './onnx-session.ts';

/** Features of DINOv2 ViT-L/14. */
export const dinov2Dim = 1024;

const side = 224;
const mean = [0.485, 0.456, 0.406];
const std = [0.229, 0.224, 0.225];

/**
 * What DINOv2 is given: pictures of 224 x 224 by antialiased bicubic interpolation, neither rounded nor clipped, divided by
 * 255, then with the mean and standard deviation of ImageNet taken out.
 *
 * Source: arXiv 2312.02696, appendix B.3, which follows arXiv 2306.04675.
 *
 * @returns `[N, 3, 224, 224]`.
 * @example
 * ```ts
 * dinov2Input({ shape: [1, 3, 1, 1], data: Uint8Array.of(255, 255, 255) })[0]; // 2.248908
 * ```
 */
export function dinov2Input({ shape, data }: PixelBatch): Float32Array {
  const input = resizeBicubic({ shape, data }, side, side);
  const plane = side * side;
  for (let i = 0; i < input.length; i++) {
    const channel = Math.floor(i / plane) % 3;
    input[i] = (input[i]! / 255 - mean[channel]!) / std[channel]!;
  }
  return input;
}

/**
 * The features that FD-DINOv2 compares: the class token of DINOv2 ViT-L/14, exported to ONNX so that it takes
 * {@link dinov2Input} and gives the token `[N, 1024]`, or all tokens `[N, T, 1024]` with it in front.
 *
 * @example
 * ```ts
 * class Tensor {
 *   readonly data: unknown;
 *   readonly dims: readonly number[];
 *   constructor(_type: string, data: unknown, dims: readonly number[]) {
 *     this.data = data;
 *     this.dims = dims;
 *   }
 * } // in place of that of onnxruntime-node
 * const run = async () => ({ tokens: new Tensor('float32', new Float32Array(2 * 1024), [1, 2, 1024]) });
 * const session = { inputNames: ['x'], outputNames: ['tokens'], run }; // ort.InferenceSession.create('dinov2.onnx')
 * const features = await dinov2Features({ session, Tensor }).features({ shape: [1, 3, 8, 8], data: new Uint8Array(192) });
 * features.length; // 1024
 * ```
 */
export function dinov2Features(network: OnnxNetwork): FeatureExtractor {
  return {
    name: 'dinov2',
    featureDim: dinov2Dim,
    features(pixels) {
      const dims = [pixels.shape[0], 3, side, side];
      return runOnnx(network, new network.Tensor('float32', dinov2Input(pixels), dims), dinov2Dim);
    },
  };
}
