import type { FeatureExtractor } from './feature-extractor.ts';
import { type OnnxNetwork, runOnnx } from './onnx-session.ts';

/** Pooled features of the Inception network. */
export const inceptionDim = 2048;

/**
 * The features that FID compares: those of the Inception network of 2015-12-05, exported to ONNX so that it takes pixels 0
 * to 255, `[N, 3, H, W]` of uint8 or float32, and resizes and scales them itself, as the published one does.
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
 * const run = async () => ({ pool: new Tensor('float32', new Float32Array(2048), [1, 2048]) });
 * const session = { inputNames: ['pixels'], outputNames: ['pool'], run }; // ort.InferenceSession.create('inception.onnx')
 * const features = await inceptionFeatures({ session, Tensor }).features({ shape: [1, 3, 8, 8], data: new Uint8Array(192) });
 * features.length; // 2048
 * ```
 */
export function inceptionFeatures(network: OnnxNetwork): FeatureExtractor {
  const { session, Tensor } = network;
  const takesBytes = session.inputMetadata?.[0]?.type === 'uint8';
  return {
    name: 'inception',
    featureDim: inceptionDim,
    features({ shape, data }) {
      const input = takesBytes
        ? new Tensor('uint8', data, shape)
        : new Tensor('float32', Float32Array.from(data), shape);
      return runOnnx(network, input, inceptionDim);
    },
  };
}
