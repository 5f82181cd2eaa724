import type { PrecondOptions } from '../network/precondition.ts';

/** Names that published code has for the options of a block, and ours. */
export const blockOptionNames = {
  resample_filter: 'resampleFilter',
  channels_per_head: 'channelsPerHead',
  dropout: 'dropout',
  res_balance: 'resBalance',
  attn_balance: 'attnBalance',
  clip_act: 'clipAct',
} as const satisfies Record<string, keyof PrecondOptions>;

/** Those of a whole network. */
export const networkOptionNames = {
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
  ...blockOptionNames,
} as const satisfies Record<string, keyof PrecondOptions>;
