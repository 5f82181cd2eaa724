import { project } from '@evenkeel/mp-nn';
import { Dropout } from '@evenkeel/nn';
import type { Tensor } from '@evenkeel/tensor';
import { Block, type BlockOptions } from '../../network/block.ts';
import { addGradients } from '../gradients.ts';
import { blockStyle } from '../network-config.ts';
import type { CaseRunner, Computed } from '../reference-case.ts';

/** One block: its output, its weights after forced normalization, gradients of sum(y gy). */
export const block: CaseRunner = async (reference) => {
  const style = blockStyle(reference);
  const mask = await reference.inputOrNull('dropout_keep_mask');
  const probability = reference.number('dropout', 0);
  const options: BlockOptions = {
    inChannels: reference.number('in_channels'),
    outChannels: reference.number('out_channels'),
    embChannels: reference.number('emb_channels'),
    flavor: reference.string('flavor', 'enc') as 'enc' | 'dec',
    resampleMode: reference.string('resample_mode', 'keep') as 'keep' | 'up' | 'down',
    attention: reference.flag('attention'),
    ...style,
    ...(mask === null ? {} : { dropout: new GivenDropout(probability, mask) }),
  };
  const layer = reference.own(new Block(options));
  const heads = reference.number('num_heads', layer.heads);
  if (layer.heads !== heads) throw new Error(`the block has ${layer.heads} attention heads, should have ${heads}`);
  const training = reference.flag('training');
  layer.train(training).loadStateDict(await reference.parameters());
  if (training) project(layer);
  const [x, emb] = [await reference.input('x'), await reference.input('emb')];
  const y = layer.call(x, emb);
  const results: Computed = new Map([['out/y', y]]);
  for (const [name, { value }] of layer.namedParameters()) results.set(`out/${name}_after`, value);
  addGradients(results, y.mul(await reference.input('gy')).sum(), layer, { x, emb });
  return results;
};

/** Dropout whose mask (1 keeps) is given instead of drawn. */
class GivenDropout extends Dropout {
  readonly #mask: Tensor;

  constructor(probability: number, mask: Tensor) {
    super(probability);
    this.#mask = mask;
  }

  override forward(x: Tensor): Tensor {
    return this.training ? x.mul(this.#mask).div(1 - this.probability) : x;
  }
}
