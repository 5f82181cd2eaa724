import { encodeSnapshot, networkMetadata, Precond, readStateDict } from '@evenkeel/edm2';
import type { HostArray } from '@evenkeel/formats';
import { Generator } from '@evenkeel/tensor';

/** A network that devices in software compile and compute in a moment. */
export const tinyOptions = {
  imgResolution: 4,
  imgChannels: 3,
  labelDim: 3,
  modelChannels: 3,
  channelMult: [1],
  numBlocks: 1,
} as const;

/** Weights of it that were never trained; gains, which would be 0, are not. */
export async function tinyValues(seed: number): Promise<Map<string, HostArray>> {
  using net = new Precond({ ...tinyOptions, generator: new Generator(seed) });
  const values = await readStateDict(net.stateDict());
  for (const [name, array] of values) {
    if (name.endsWith('gain')) values.set(name, { ...array, data: new Float32Array(array.data.length).fill(0.7) });
  }
  return values;
}

/** Them as a file. */
export function tinySnapshot(values: ReadonlyMap<string, HostArray>, { images = 1024, std = 0.1 } = {}): Buffer {
  const metadata = { ...networkMetadata({ options: tinyOptions, encoder: 'rgb' }), dataset: 'tiny' };
  return Buffer.from(encodeSnapshot({ images, std, values, metadata }));
}
