import { mpConcat, mpSilu, mpSum, normalize, type ResampleMode, resample } from '@evenkeel/mp-nn';
import type { Tensor } from '@evenkeel/tensor';
import { addGradients } from '../gradients.ts';
import type { CaseRunner, Computed, ReferenceCase } from '../reference-case.ts';

/** One function without parameters: its value and its gradients of sum(y gy). */
export const primitive: CaseRunner = async (reference) => {
  const inputs: Record<string, Tensor> = {};
  for (const name of reference.names('in')) if (name !== 'gy') inputs[name] = await reference.input(name);
  const y = applyPrimitive(reference, inputs);
  const results: Computed = new Map([['out/y', y]]);
  if (reference.has('in', 'gy')) addGradients(results, y.mul(await reference.input('gy')).sum(), null, inputs);
  return results;
};

function applyPrimitive(reference: ReferenceCase, inputs: Record<string, Tensor>): Tensor {
  const op = reference.string('op');
  const [x, a, b] = ['x', 'a', 'b'].map((name) => inputs[name] as Tensor) as [Tensor, Tensor, Tensor];
  switch (op) {
    case 'normalize': {
      const axes = reference.config.dim;
      return normalize(x, {
        eps: reference.number('eps', 1e-4),
        ...(axes === null || axes === undefined ? {} : { axes: axes as number | readonly number[] }),
      });
    }
    case 'mp_silu':
      return mpSilu(x);
    case 'mp_sum':
      return mpSum(a, b, reference.number('t', 0.5));
    case 'mp_cat':
      return mpConcat(a, b, { t: reference.number('t', 0.5), axis: reference.number('dim', 1) });
    case 'resample':
      return resample(x, {
        mode: reference.string('mode', 'keep') as ResampleMode,
        filter: reference.list('f', [1, 1]),
      });
    default:
      throw new Error(`config.op '${op}' is not known`);
  }
}
