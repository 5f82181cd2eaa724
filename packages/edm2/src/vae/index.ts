export { AutoencoderKL, type AutoencoderKLOptions } from './autoencoder-kl.ts';
export type { VaeShape } from './encoder.ts';
