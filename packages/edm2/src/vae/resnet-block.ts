import { Conv2d, GroupNorm, type InitializationOptions, Module, snakeCase } from '@evenkeel/nn';
import type { Tensor } from '@evenkeel/tensor';

/** What all layers of the autoencoder have in common. */
export interface VaeLayerOptions extends InitializationOptions {
  /** Groups of every group norm. */
  readonly normGroups: number;
}

export const normEpsilon = 1e-6;

/** Group norm, SiLU, 3x3 convolution, twice, added to x (through a 1x1 convolution where channels change): `[N, in, H, W]` to `[N, out, H, W]`. */
export class ResnetBlock extends Module {
  static override readonly names = snakeCase;

  readonly norm1: GroupNorm;
  readonly conv1: Conv2d;
  readonly norm2: GroupNorm;
  readonly conv2: Conv2d;
  readonly convShortcut: Conv2d | undefined;

  constructor(inChannels: number, outChannels: number, options: VaeLayerOptions) {
    super();
    const same = { ...options, padding: 1 };
    this.norm1 = groupNorm(inChannels, options);
    this.conv1 = new Conv2d(inChannels, outChannels, 3, same);
    this.norm2 = groupNorm(outChannels, options);
    this.conv2 = new Conv2d(outChannels, outChannels, 3, same);
    if (inChannels !== outChannels) this.convShortcut = new Conv2d(inChannels, outChannels, 1, options);
  }

  forward(x: Tensor): Tensor {
    const inner = this.conv1.call(this.norm1.call(x).silu());
    const y = this.conv2.call(this.norm2.call(inner).silu());
    return y.add(this.convShortcut?.call(x) ?? x);
  }
}

/** The blocks of a level, one behind the other: the first changes the channels. */
export function resnetBlocks(
  layers: number,
  inChannels: number,
  outChannels: number,
  options: VaeLayerOptions,
): ResnetBlock[] {
  return Array.from(
    { length: layers },
    (_, layer) => new ResnetBlock(layer === 0 ? inChannels : outChannels, outChannels, options),
  );
}

export function groupNorm(channels: number, { normGroups, dtype }: VaeLayerOptions): GroupNorm {
  return new GroupNorm(normGroups, channels, { epsilon: normEpsilon, ...(dtype && { dtype }) });
}
