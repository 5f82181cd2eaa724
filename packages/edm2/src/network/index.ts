export { Block, type BlockOptions, type BlockStyle } from './block.ts';
export { type CountedOp, type NetworkComplexity, networkComplexity } from './complexity.ts';
export {
  describedNetwork,
  type EncoderName,
  type NetworkDescription,
  networkMetadata,
} from './network-metadata.ts';
export { type Denoised, Precond, type PrecondOptions } from './precondition.ts';
export { UNet, type UNetOptions } from './unet.ts';
