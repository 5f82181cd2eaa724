import { latentsToPixels, PerSeedRandom, Precond, sample, stateDictOf } from '@evenkeel/edm2';
import type { HostArray } from '@evenkeel/formats';
import { oneHot, tensor } from '@evenkeel/tensor';
import { tinyOptions } from './tiny-network.ts';

export interface Painting {
  readonly values: ReadonlyMap<string, HostArray>;
  readonly guide?: ReadonlyMap<string, HostArray>;
  readonly guidance?: number;
  readonly steps: number;
  readonly count: number;
}

/** What the page should paint from seed 0 on, class after class: RGBA of each picture. */
export async function paintedInNode({ values, guide, guidance = 1, steps, count }: Painting): Promise<Uint8Array> {
  using net = new Precond(tinyOptions);
  net.loadStateDict(stateDictOf(values));
  using worse = new Precond(tinyOptions);
  if (guide) worse.loadStateDict(stateDictOf(guide));
  const { imgResolution: side, imgChannels, labelDim } = tinyOptions;
  const places = Array.from({ length: count }, (_, i) => i);
  const noise = new PerSeedRandom(places).normal([count, imgChannels, side, side]);
  const labels = oneHot(tensor(Int32Array.from(places, (i) => i % labelDim)), labelDim);
  const images = await sample(net, noise, { labels, steps, guidance, ...(guide && { guide: worse }) });
  const pixels = latentsToPixels(await images.permute([0, 2, 3, 1]).data());
  return Uint8Array.from({ length: (pixels.length / 3) * 4 }, (_, i) => {
    return i % 4 === 3 ? 255 : (pixels[Math.floor(i / 4) * 3 + (i % 4)] as number);
  });
}
