import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors } from '@evenkeel/formats';
import { Generator } from '@evenkeel/tensor';
import { stateDictOf } from '../ema/index.ts';
import { AutoencoderKL, type AutoencoderKLOptions } from '../vae/index.ts';

/** What the file is called in the folders of the `diffusers` library. */
const publishedFile = 'diffusion_pytorch_model.safetensors';

/**
 * The Stable Diffusion VAE with the weights of a safetensors file under the names of the `diffusers` library, such as
 * `diffusion_pytorch_model.safetensors` of `stabilityai/sd-vae-ft-mse`, or of a folder that holds one of that name. Nothing
 * is downloaded. In evaluation mode; dispose it when it is no longer needed.
 *
 * @param options of another network than Stable Diffusion's.
 * @throws Error, one line naming the file, when it is missing, damaged, or holds weights of another network.
 * @example
 * ```ts
 * const small = { blockChannels: [8, 16], normGroups: 4, layersPerBlock: 1 };
 * const weights = await readStateDict(new AutoencoderKL(small).stateDict());
 * await writeFileAtomically('vae.safetensors', writeSafetensors(weights)); // or the published file
 *
 * const vae = await loadStabilityVae('vae.safetensors', small);
 * vae.decode(zeros([1, 4, 8, 8])); // [1, 3, 16, 16]
 * ```
 */
export async function loadStabilityVae(path: string, options: AutoencoderKLOptions = {}): Promise<AutoencoderKL> {
  const file = await weightsFile(path);
  const { tensors } = readSafetensors(await readFile(file), { file });
  // First values are replaced at once: they must not move the generator that layers share.
  const vae = new AutoencoderKL({ generator: new Generator(0), ...options });
  try {
    const { missing, unexpected } = vae.loadStateDict(stateDictOf(tensors), { strict: false });
    for (const [names, lack] of [
      [missing, 'lacks'],
      [unexpected, 'holds, beside it,'],
    ] as const) {
      if (names.length > 0) throw new Error(`is not this VAE: it ${lack} ${names.length} tensors, such as ${names[0]}`);
    }
    return vae.eval();
  } catch (error) {
    vae.dispose();
    throw new Error(`${file}: ${(error as Error).message.replace(/^loadStateDict: /, '')}`, { cause: error });
  }
}

async function weightsFile(path: string): Promise<string> {
  const found = await stat(path).catch((error: unknown) => {
    throw new Error(
      `${path}: does not exist. Give ${publishedFile} of stabilityai/sd-vae-ft-mse as a file on this machine: nothing is downloaded`,
      { cause: error },
    );
  });
  if (!found.isDirectory()) return path;
  const inside = join(path, publishedFile);
  await stat(inside).catch((error: unknown) => {
    throw new Error(`${path}: holds no ${publishedFile}`, { cause: error });
  });
  return inside;
}
