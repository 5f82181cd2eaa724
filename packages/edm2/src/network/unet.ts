import { MPConv, MPFourier, MPLinear, mpConcat, mpSilu, mpSum } from '@evenkeel/mp-nn';
import { Module, Parameter, snakeCase } from '@evenkeel/nn';
import { concat, ones, type Tensor, zeros } from '@evenkeel/tensor';
import { Block, type BlockStyle } from './block.ts';
import { type LayerPlan, planUNet } from './unet-plan.ts';

/** Options of {@link UNet}; those of blocks go to every block. */
export interface UNetOptions extends BlockStyle {
  /** Height and width of images, divisible by 2 once for each level but the first. */
  readonly imgResolution: number;
  readonly imgChannels: number;
  /** Number of classes, or length of a label vector; 0 for an unconditional network. */
  readonly labelDim: number;
  /** Width of the network. @defaultValue 192 */
  readonly modelChannels?: number;
  /** Channels of each level, in `modelChannels`. @defaultValue [1, 2, 3, 4] */
  readonly channelMult?: readonly number[];
  /** Fourier features of the noise level, in `modelChannels`. @defaultValue as level 0 */
  readonly channelMultNoise?: number | null;
  /** Length of the embedding, in `modelChannels`. @defaultValue as the widest level */
  readonly channelMultEmb?: number | null;
  /** Blocks of a level. @defaultValue 3 */
  readonly numBlocks?: number;
  /** Resolutions that have self-attention; the deepest level's first decoder block always has. @defaultValue [16, 8] */
  readonly attnResolutions?: readonly number[];
  /** Weight of the label in the embedding, in [0, 1]. @defaultValue 0.5 */
  readonly labelBalance?: number;
  /** Weight of skip connections where they are joined, in [0, 1]. @defaultValue 0.5 */
  readonly concatBalance?: number;
}

/**
 * The network F of EDM2's config G: an encoder and a decoder of {@link Block}s with skip connections, modulated by an
 * embedding of noise level and label.
 *
 * `x` is `[N, imgChannels, R, R]`, `noiseLabel` (ln(sigma) / 4) is `[N]` or `[1]`, `labels` are `[N, labelDim]` or
 * `[1, labelDim]`: one-hot rows or any weights. The result has the shape of `x`. `out_gain` starts at 0, so the first
 * output is 0 everywhere.
 *
 * Source: arXiv 2312.02696, figure 22 (config G) and table 6 (sizes).
 *
 * @throws when sizes are not whole numbers of at least 1, a resolution cannot be halved often enough, or labels are missing or of wrong length.
 * @example
 * ```ts
 * const unet = new UNet({ imgResolution: 16, imgChannels: 3, labelDim: 10, modelChannels: 32, channelMult: [1, 2] });
 * const sigma = tensor([0.1, 1, 10]);
 * unet.call(new Generator(1).normal([3, 3, 16, 16]), sigma.log().div(4), oneHot(arange(3), 10)); // [3, 3, 16, 16]
 * ```
 */
export class UNet extends Module {
  static override readonly names = snakeCase;

  readonly labelDim: number;
  readonly labelBalance: number;
  readonly concatBalance: number;
  // In the order of the published state dict.
  readonly outGain: Parameter;
  readonly embFourier: MPFourier;
  readonly embNoise: MPLinear;
  readonly embLabel: MPLinear | undefined;
  readonly enc: ReadonlyMap<string, Block | MPConv>;
  readonly dec: ReadonlyMap<string, Block>;
  readonly outConv: MPConv;

  constructor(options: UNetOptions) {
    super();
    const { imgChannels, labelDim } = options;
    const { generator, dtype = 'float32' } = options;
    const init = generator === undefined ? { dtype } : { dtype, generator };
    const { noiseChannels, embChannels, enc, dec } = planUNet(options);
    this.labelDim = labelDim;
    this.labelBalance = options.labelBalance ?? 0.5;
    this.concatBalance = options.concatBalance ?? 0.5;
    this.outGain = new Parameter(zeros([], { dtype }));
    this.embFourier = new MPFourier(noiseChannels, init);
    this.embNoise = new MPLinear(noiseChannels, embChannels, init);
    this.embLabel = labelDim > 0 ? new MPLinear(labelDim, embChannels, init) : undefined;
    this.enc = new Map(
      enc.map(({ name, ...entry }) => [
        name,
        entry.resampleMode === undefined
          ? new MPConv(entry.inChannels, entry.outChannels, { kernel: 3, ...init })
          : new Block({ ...options, ...entry, embChannels, flavor: 'enc' }),
      ]),
    );
    this.dec = new Map(
      dec.map(({ name, ...entry }) => [name, new Block({ ...options, ...entry, embChannels, flavor: 'dec' })]),
    );
    const { outChannels } = dec.at(-1) as LayerPlan;
    this.outConv = new MPConv(outChannels, imgChannels, { kernel: 3, ...init });
  }

  forward(x: Tensor, noiseLabel: Tensor, labels: Tensor | null = null): Tensor {
    const emb = this.#embed(noiseLabel, labels);
    const [batch, , height, width] = x.shape as [number, number, number, number];
    let y = concat([x, ones([batch, 1, height, width], { dtype: x.dtype })], 1);
    const skips: Tensor[] = [];
    for (const layer of this.enc.values()) {
      y = layer instanceof Block ? layer.call(y, emb) : layer.call(y);
      skips.push(y);
    }
    for (const [name, block] of this.dec) {
      if (name.includes('block')) y = mpConcat(y, skips.pop() as Tensor, { t: this.concatBalance });
      y = block.call(y, emb);
    }
    return this.outConv.call(y, this.outGain.value);
  }

  #embed(noiseLabel: Tensor, labels: Tensor | null): Tensor {
    const emb = this.embNoise.call(this.embFourier.call(noiseLabel));
    if (this.embLabel === undefined) return mpSilu(emb);
    if (labels === null) throw new Error(`UNet: needs labels of ${this.labelDim} numbers, got null`);
    // A one-hot row then has unit magnitude.
    const label = this.embLabel.call(labels.mul(Math.sqrt(this.labelDim)));
    const shape = [Math.max(emb.shape[0] as number, label.shape[0] as number), emb.shape[1] as number];
    return mpSilu(mpSum(emb.broadcastTo(shape), label.broadcastTo(shape), this.labelBalance));
  }
}
