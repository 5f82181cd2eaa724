import { MPConv, MPLinear, project } from '@evenkeel/mp-nn';
import type { Tensor } from '@evenkeel/tensor';
import { addGradients } from '../gradients.ts';
import type { CaseRunner, Computed } from '../reference-case.ts';

/** One learned layer: its output, its weight after forced normalization, gradients at that weight. */
export const mpconv: CaseRunner = async (reference) => {
  const [from, to] = [reference.number('in_channels'), reference.number('out_channels')];
  const kernel = reference.list('kernel') as readonly [] | readonly [number, number];
  const { dtype } = reference;
  const layer = reference.own(
    kernel.length === 0 ? new MPLinear(from, to, { dtype }) : new MPConv(from, to, { dtype, kernel }),
  );
  layer.loadStateDict({ weight: await reference.input('weight', 'param') });
  if (reference.flag('training')) project(layer);
  const x = await reference.input('x');
  const learned: Record<string, Tensor> = reference.has('param', 'gain')
    ? { gain: await reference.input('gain', 'param') }
    : {};
  const y = layer.call(x, learned.gain ?? reference.number('gain', 1));
  const results: Computed = new Map([
    ['out/y', y],
    ['out/weight_after', layer.weight.value],
  ]);
  addGradients(results, y.mul(await reference.input('gy')).sum(), layer, { x, ...learned });
  return results;
};
