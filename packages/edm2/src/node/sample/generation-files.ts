import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { generationPresets, type PublishedNetwork, publishedNetworkName } from '../../presets/index.ts';

/** What a preset of published results stands for, as files on this machine. */
export interface GenerationFiles {
  readonly net: string;
  readonly guide?: string;
  readonly guidance: number;
}

const endings = ['.safetensors', '.pkl'];

/**
 * Finds the files of the networks that published pictures were made with. Nothing is downloaded.
 *
 * @param folder where they lie, under their published names or as safetensors.
 * @throws Error, one line, when the preset is not known, or a file is not there: it names the file.
 * @example
 * ```ts
 * const missing = await findGenerationFiles('edm2-img64-s-fid', '.').catch((error: Error) => error.message);
 * console.log(missing); // needs edm2-img64-s-1073741-0.075.pkl in the folder; nothing is downloaded
 * ```
 */
export async function findGenerationFiles(preset: string, folder: string): Promise<GenerationFiles> {
  const found = generationPresets.get(preset);
  if (found === undefined) {
    throw new Error(`preset '${preset}' is not known. There are ${[...generationPresets.keys()].join(', ')}`);
  }
  const { net, guide, guidance } = found;
  return {
    net: await fileOf(net, preset, folder),
    ...(guide && { guide: await fileOf(guide, preset, folder) }),
    guidance,
  };
}

async function fileOf(network: PublishedNetwork, preset: string, folder: string): Promise<string> {
  const name = publishedNetworkName(network);
  for (const ending of endings) {
    const path = join(folder, `${name}${ending}`);
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  throw new Error(
    `preset ${preset} needs ${name}.pkl (or .safetensors) in ${folder}: nothing is downloaded. Fetch it, or give --models FOLDER`,
  );
}
