import { Precond, type PrecondOptions } from '../network/precondition.ts';
import type { ReferenceCase } from './reference-case.ts';

/** Names of the manifest that a network is made with, and what options they are. */
const networkKeys = {
  img_resolution: 'imgResolution',
  img_channels: 'imgChannels',
  label_dim: 'labelDim',
  model_channels: 'modelChannels',
  channel_mult: 'channelMult',
  channel_mult_noise: 'channelMultNoise',
  channel_mult_emb: 'channelMultEmb',
  num_blocks: 'numBlocks',
  attn_resolutions: 'attnResolutions',
  label_balance: 'labelBalance',
  concat_balance: 'concatBalance',
  sigma_data: 'sigmaData',
  logvar_channels: 'logvarChannels',
} as const satisfies Record<string, keyof PrecondOptions>;

/** Those that every block gets. */
const blockKeys = {
  resample_filter: 'resampleFilter',
  channels_per_head: 'channelsPerHead',
  dropout: 'dropout',
  res_balance: 'resBalance',
  attn_balance: 'attnBalance',
  clip_act: 'clipAct',
} as const satisfies Record<string, keyof PrecondOptions>;

function pick(config: Readonly<Record<string, unknown>>, keys: Readonly<Record<string, string>>) {
  const present = Object.entries(keys).filter(([key]) => config[key] !== undefined);
  return Object.fromEntries(present.map(([key, option]) => [option, config[key]]));
}

/** Options of a block in a case's config. */
export function blockStyle({ config, dtype }: ReferenceCase) {
  return { ...pick(config, blockKeys), dtype };
}

/** The network that a case's config describes, in its mode, with first values of its own. */
export function makeNetwork(reference: ReferenceCase): Precond {
  const options = { ...pick(reference.config, networkKeys), ...blockStyle(reference) };
  return reference.own(new Precond(options as PrecondOptions)).train(reference.flag('training'));
}

/** The network of a case, with the case's parameters. */
export async function loadNetwork(reference: ReferenceCase): Promise<Precond> {
  const net = makeNetwork(reference);
  net.loadStateDict(await reference.parameters());
  return net;
}
