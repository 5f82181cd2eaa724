import { networkComplexity } from '../network/complexity.ts';
import type { NetworkDescription } from '../network/network-metadata.ts';
import type { PrecondOptions } from '../network/precondition.ts';

/** A network in a line: `280.2 million parameters, 64 x 64 x 4 (stability-vae), 1000 labels`. */
export function networkLine({ options, encoder }: NetworkDescription): string {
  const { imgResolution, imgChannels, labelDim } = options;
  const labels = labelDim === 0 ? 'no labels' : `${labelDim} labels`;
  return `${parameterText(options)}, ${imgResolution} x ${imgResolution} x ${imgChannels} (${encoder}), ${labels}`;
}

function parameterText(options: PrecondOptions): string {
  const { parameters } = networkComplexity(options);
  return parameters < 1e6 ? `${parameters} parameters` : `${(parameters / 1e6).toFixed(1)} million parameters`;
}
