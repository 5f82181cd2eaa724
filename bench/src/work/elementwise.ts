import type { ElementwiseOperation } from './task.ts';
import type { Exact, InputSpec, Work } from './work.ts';

interface Definition {
  readonly shape: readonly number[];
  readonly inputs: readonly Omit<InputSpec, 'shape'>[];
  /** Arrays of the shape that must be read or written once. */
  readonly passes: number;
  /** Whether the result is one number. */
  readonly isScalar?: boolean;
  /** @default 5e-6 */
  readonly tolerance?: number;
  exact(inputs: readonly Float32Array[], index: number, shape: readonly number[]): Exact;
}

/** 4 million floats: 16 MiB, more than the caches of one core. */
const images = [16, 64, 64, 64];
const x = { name: 'x' };

const definitions: Readonly<Record<ElementwiseOperation, Definition>> = {
  /** x sigmoid(x) / 0.596 */
  'mp-silu': {
    shape: images,
    inputs: [x],
    passes: 2,
    exact([input], index) {
      const at = (input as Float32Array)[index]!;
      const value = at / (1 + Math.exp(-at)) / 0.596;
      return { value, magnitude: Math.abs(value) };
    },
  },
  /** (0.7 x sigmoid(x) / 0.596 + 0.3 y) / sqrt(0.7^2 + 0.3^2): the end of a block, one kernel where kernels are fused. */
  'mp-silu-sum': {
    shape: images,
    inputs: [x, { name: 'y' }],
    passes: 3,
    exact([a, b], index) {
      const [left, right] = [(a as Float32Array)[index]!, (b as Float32Array)[index]!];
      const scale = Math.hypot(0.7, 0.3);
      const [first, second] = [(0.7 * left) / (1 + Math.exp(-left)) / 0.596 / scale, (0.3 * right) / scale];
      return { value: first + second, magnitude: Math.abs(first) + Math.abs(second) };
    },
  },
  /** x / (1e-4 + rms of the pixel's channels) */
  'pixel-norm': {
    shape: images,
    inputs: [x],
    passes: 2,
    exact([input], index, shape) {
      const [, channels, height, width] = shape as [number, number, number, number];
      const pixels = height * width;
      const first = Math.floor(index / (channels * pixels)) * channels * pixels + (index % pixels);
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += (input as Float32Array)[first + c * pixels]! ** 2;
      return normalized((input as Float32Array)[index]!, sum / channels);
    },
  },
  /** w / (1e-4 + rms of the row): the weights of a convolution, one row an output channel. */
  'weight-norm': {
    shape: [768, 608, 3, 3],
    inputs: [{ name: 'w' }],
    passes: 2,
    exact([input], index, shape) {
      const row = shape.slice(1).reduce((count, size) => count * size, 1);
      const first = Math.floor(index / row) * row;
      let sum = 0;
      for (let i = 0; i < row; i++) sum += (input as Float32Array)[first + i]! ** 2;
      return normalized((input as Float32Array)[index]!, sum / row);
    },
  },
  softmax: {
    shape: [16384, 256],
    inputs: [x],
    passes: 2,
    exact([input], index, shape) {
      const row = shape.at(-1) as number;
      const first = Math.floor(index / row) * row;
      let sum = 0;
      for (let i = 0; i < row; i++) sum += Math.exp((input as Float32Array)[first + i]!);
      const value = Math.exp((input as Float32Array)[index]!) / sum;
      return { value, magnitude: value };
    },
  },
  add: {
    shape: images,
    inputs: [x, { name: 'y' }],
    passes: 3,
    exact([a, b], index) {
      const [left, right] = [(a as Float32Array)[index]!, (b as Float32Array)[index]!];
      return { value: left + right, magnitude: Math.abs(left) + Math.abs(right) };
    },
  },
  sum: {
    shape: images,
    inputs: [{ name: 'x', fill: 'uniform' }],
    passes: 1,
    isScalar: true,
    // Added one after the other, as some do, four million float32 lose four digits.
    tolerance: 1e-4,
    exact([input]) {
      let value = 0;
      for (const element of input as Float32Array) value += element;
      return { value, magnitude: value };
    },
  },
};

function normalized(value: number, meanSquare: number): Exact {
  const result = value / (1e-4 + Math.sqrt(meanSquare));
  return { value: result, magnitude: Math.abs(result) };
}

export const elementwiseOperations = Object.keys(definitions) as ElementwiseOperation[];

/** An operation that each byte goes through once; its speed is that of memory, if its arithmetic keeps up. */
export function elementwise(
  operation: ElementwiseOperation,
  shape = definitions[operation].shape,
  fill: NonNullable<InputSpec['fill']> = 'normal',
): Work {
  const { inputs, passes, isScalar = false, tolerance = 5e-6, exact } = definitions[operation];
  const length = shape.reduce((product, size) => product * size, 1);
  return {
    name: operation,
    task: { kind: 'elementwise', operation, shape },
    unit: 'GB/s',
    amount: 4 * passes * length,
    flops: 10 * length,
    inputs: inputs.map((input) => ({ fill, ...input, shape })),
    results: [isScalar ? 1 : length],
    exact: (values, index) => exact(values, index, shape),
    tolerance,
    agreement: 2 * tolerance,
  };
}
