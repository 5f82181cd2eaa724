import { elementCount, stridesOf } from '../../types/shape.ts';
import type { ConvAttributes, Node } from '../node.ts';
import type { Values } from './elementwise.ts';
import { eachPosition } from './movement.ts';

export function matmul([a, b]: readonly Values[], node: Node<'matmul'>): Values {
  const [m, n] = node.shape.slice(-2) as [number, number];
  const k = (node.sources[0] as Node).shape.at(-1) as number;
  const batch = elementCount(node.shape.slice(0, -2));
  const result = new Float64Array(batch * m * n);
  for (let i = 0; i < result.length; i++) {
    const row = Math.floor(i / n);
    const column = Math.floor(i / (m * n)) * k * n + (i % n);
    let sum = 0;
    for (let inner = 0; inner < k; inner++) {
      sum += ((a as Values)[row * k + inner] as number) * ((b as Values)[column + inner * n] as number);
    }
    result[i] = sum;
  }
  return result;
}

/** Offset in the input's spatial axes that an output element reads at a tap, or -1 for a zero. */
function tapOffset(
  attributes: ConvAttributes,
  sizes: readonly number[],
  strides: readonly number[],
  output: readonly number[],
  tap: readonly number[],
): number {
  let offset = 0;
  for (let axis = 0; axis < sizes.length; axis++) {
    const [low] = attributes.padding[axis] as readonly [number, number];
    const spread = attributes.inputDilation[axis] as number;
    const at =
      (output[axis] as number) * (attributes.stride[axis] as number) +
      (tap[axis] as number) * (attributes.dilation[axis] as number) -
      low;
    if (at < 0 || at % spread !== 0 || at / spread >= (sizes[axis] as number)) return -1;
    offset += (at / spread) * (strides[axis] as number);
  }
  return offset;
}

/** Correlation; taps outside the input add nothing, even where the weight is not finite. */
export function conv([x, w]: readonly Values[], node: Node<'conv'>): Values {
  const [input, weight] = node.sources.map((source) => source.shape) as [number[], number[]];
  const { groups } = node.attributes;
  const [channels, taps] = [weight[1] as number, weight.slice(2)];
  const outChannels = node.shape[1] as number;
  const [spatial, outSpatial] = [input.slice(2), node.shape.slice(2)];
  const strides = stridesOf(spatial);
  const [area, outArea, tapCount] = [elementCount(spatial), elementCount(outSpatial), elementCount(taps)];
  const result = new Float64Array(elementCount(node.shape));
  eachPosition(outSpatial, (output, outFlat) => {
    eachPosition(taps, (tap, tapFlat) => {
      const offset = tapOffset(node.attributes, spatial, strides, output, tap);
      if (offset < 0) return;
      for (let n = 0; n < (node.shape[0] as number); n++) {
        for (let o = 0; o < outChannels; o++) {
          const group = Math.floor((o * groups) / outChannels);
          let sum = 0;
          for (let c = 0; c < channels; c++) {
            const value = (x as Values)[(n * channels * groups + group * channels + c) * area + offset] as number;
            sum += value * ((w as Values)[(o * channels + c) * tapCount + tapFlat] as number);
          }
          const at = (n * outChannels + o) * outArea + outFlat;
          result[at] = (result[at] as number) + sum;
        }
      }
    });
  });
  return result;
}
