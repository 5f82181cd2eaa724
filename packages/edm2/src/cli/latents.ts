import { type ImageEncoder, rgbEncoder, stabilityVaeEncoder } from '../data/image-encoder.ts';
import type { StoredNetwork } from '../node/read-network.ts';
import { loadStabilityVae } from '../node/stability-vae.ts';

/**
 * What makes pictures of what a network makes.
 *
 * @param vae file of the Stable Diffusion VAE's weights, for networks of its latents.
 */
export async function encoderOf({ net, description, file }: StoredNetwork, vae?: string): Promise<ImageEncoder> {
  const { imgChannels } = net.options;
  if (description.encoder === 'rgb' && (imgChannels === 1 || imgChannels === 3)) return rgbEncoder(imgChannels);
  if (vae === undefined) {
    throw new Error(
      `${file}: makes latents of the Stable Diffusion VAE. Give --vae with its weights (diffusion_pytorch_model.safetensors of stabilityai/sd-vae-ft-mse): nothing is downloaded`,
    );
  }
  return stabilityVaeEncoder({ vae: await loadStabilityVae(vae) });
}
