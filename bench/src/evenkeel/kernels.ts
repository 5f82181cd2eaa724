import { mpSilu, mpSum, normalize, pixelNorm } from '@evenkeel/mp-nn';
import { scaledDotProductAttention } from '@evenkeel/nn';
import { conv2d, grad, type Tensor, zeros } from '@evenkeel/tensor';
import type { ElementwiseOperation, TaskOf } from '../work/task.ts';

/** A task as a function of its inputs. */
export type Program = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

export function matrixProduct(): Program {
  return (a, b) => (a as Tensor).matmul(b as Tensor);
}

/** The gradients come from the library's own rules, of a convolution that is never computed. */
export function convolution(task: TaskOf<'convolution'>): Program {
  const { role, batch, inChannels, outChannels, size, kernel } = task;
  const padding = (kernel - 1) / 2;
  if (role === 'forward') return (x, weight) => conv2d(x as Tensor, weight as Tensor, { padding });
  return (first, second) => {
    const isInput = role === 'input-gradient';
    const x = isInput ? zeros([batch, inChannels, size, size]) : (first as Tensor);
    const weight = isInput ? (second as Tensor) : zeros([outChannels, inChannels, kernel, kernel]);
    const gradient = (isInput ? first : second) as Tensor;
    return grad(conv2d(x, weight, { padding }).mul(gradient).sum(), isInput ? x : weight);
  };
}

export function chain({ count }: TaskOf<'chain'>): Program {
  return (x, w) => {
    let y = x as Tensor;
    for (let i = 0; i < count; i++) y = y.matmul(w as Tensor);
    return y;
  };
}

export function attention(): Program {
  return (query, key, value) => scaledDotProductAttention(query as Tensor, key as Tensor, value as Tensor);
}

const elementwisePrograms: Readonly<Record<ElementwiseOperation, Program>> = {
  'mp-silu': (x) => mpSilu(x as Tensor),
  'mp-silu-sum': (x, y) => mpSum(mpSilu(x as Tensor), y as Tensor, 0.3),
  'pixel-norm': (x) => pixelNorm(x as Tensor),
  'weight-norm': (w) => normalize(w as Tensor),
  softmax: (x) => (x as Tensor).softmax(-1),
  add: (x, y) => (x as Tensor).add(y as Tensor),
  sum: (x) => (x as Tensor).sum(),
};

export function elementwise({ operation }: TaskOf<'elementwise'>): Program {
  return elementwisePrograms[operation];
}
