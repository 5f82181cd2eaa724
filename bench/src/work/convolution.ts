import type { ConvolutionRole, TaskOf } from './task.ts';
import type { Exact, Work } from './work.ts';

interface ConvolutionShape {
  readonly batch: number;
  readonly inChannels: number;
  readonly outChannels?: number;
  readonly size: number;
}

export const convolutionRoles: readonly ConvolutionRole[] = ['forward', 'input-gradient', 'weight-gradient'];

/** One role of a convolution of stride 1 that keeps the size. */
export function convolution(role: ConvolutionRole, kernel: number, shape: ConvolutionShape): Work {
  const { batch, inChannels, outChannels = inChannels, size } = shape;
  const task = { kind: 'convolution', role, batch, inChannels, outChannels, size, kernel } as const;
  const x = { name: 'x', shape: [batch, inChannels, size, size] };
  const weight = { name: 'weight', shape: [outChannels, inChannels, kernel, kernel] };
  const gradient = { name: 'gradient', shape: [batch, outChannels, size, size] };
  const flops = 2 * batch * size ** 2 * inChannels * outChannels * kernel ** 2;
  const roles = {
    forward: { inputs: [x, weight], result: gradient, exact: forward },
    'input-gradient': { inputs: [gradient, weight], result: x, exact: inputGradient },
    'weight-gradient': { inputs: [x, gradient], result: weight, exact: weightGradient },
  };
  const { inputs, result, exact } = roles[role];
  return {
    name: `conv${kernel}x${kernel}-${batch}x${inChannels}x${size}x${size}-${role}`,
    task,
    unit: 'GFLOP/s',
    amount: flops,
    flops,
    inputs,
    results: [result.shape.reduce((count, length) => count * length, 1)],
    exact: ([first, second], index) => exact(task, [first as Float32Array, second as Float32Array], index),
    tolerance: 2e-6,
    agreement: 1e-5,
  };
}

type Convolution = TaskOf<'convolution'>;

/** y[n, o, r, c] = sum of x[n, i, r + p - h, c + q - h] weight[o, i, p, q], h half the kernel. */
function forward(task: Convolution, [x, weight]: [Float32Array, Float32Array], index: number): Exact {
  const { inChannels, outChannels, size, kernel } = task;
  const half = (kernel - 1) / 2;
  const [n, o, r, c] = positionIn(index, [outChannels, size, size]);
  const sum = new ExactSum();
  for (let i = 0; i < inChannels; i++) {
    for (let p = 0; p < kernel; p++) {
      for (let q = 0; q < kernel; q++) {
        const [row, column] = [r + p - half, c + q - half];
        if (row < 0 || row >= size || column < 0 || column >= size) continue;
        const pixel = x[((n * inChannels + i) * size + row) * size + column]!;
        sum.add(pixel * weight[((o * inChannels + i) * kernel + p) * kernel + q]!);
      }
    }
  }
  return sum;
}

function inputGradient(task: Convolution, [gradient, weight]: [Float32Array, Float32Array], index: number): Exact {
  const { inChannels, outChannels, size, kernel } = task;
  const half = (kernel - 1) / 2;
  const [n, i, row, column] = positionIn(index, [inChannels, size, size]);
  const sum = new ExactSum();
  for (let o = 0; o < outChannels; o++) {
    for (let p = 0; p < kernel; p++) {
      for (let q = 0; q < kernel; q++) {
        const [r, c] = [row + half - p, column + half - q];
        if (r < 0 || r >= size || c < 0 || c >= size) continue;
        const pixel = gradient[((n * outChannels + o) * size + r) * size + c]!;
        sum.add(pixel * weight[((o * inChannels + i) * kernel + p) * kernel + q]!);
      }
    }
  }
  return sum;
}

function weightGradient(task: Convolution, [x, gradient]: [Float32Array, Float32Array], index: number): Exact {
  const { batch, inChannels, outChannels, size, kernel } = task;
  const half = (kernel - 1) / 2;
  const [o, i, p, q] = positionIn(index, [inChannels, kernel, kernel]);
  const sum = new ExactSum();
  for (let n = 0; n < batch; n++) {
    for (let r = 0; r < size; r++) {
      for (let c = 0; c < size; c++) {
        const [row, column] = [r + p - half, c + q - half];
        if (row < 0 || row >= size || column < 0 || column >= size) continue;
        const pixel = x[((n * inChannels + i) * size + row) * size + column]!;
        sum.add(pixel * gradient[((n * outChannels + o) * size + r) * size + c]!);
      }
    }
  }
  return sum;
}

class ExactSum implements Exact {
  value = 0;
  magnitude = 0;

  add(term: number): void {
    this.value += term;
    this.magnitude += Math.abs(term);
  }
}

/** The four coordinates of an index, given the last three lengths. */
function positionIn(index: number, [a, b, c]: readonly [number, number, number]): [number, number, number, number] {
  return [Math.floor(index / (a * b * c)), Math.floor(index / (b * c)) % a, Math.floor(index / c) % b, index % c];
}
