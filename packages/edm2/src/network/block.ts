import {
  cosineAttention,
  MPConv,
  MPLinear,
  mpSilu,
  mpSum,
  pixelNorm,
  type ResampleMode,
  resample,
} from '@evenkeel/mp-nn';
import { Dropout, type InitializationOptions, Module, Parameter, snakeCase } from '@evenkeel/nn';
import { type Tensor, zeros } from '@evenkeel/tensor';

/** What every block of a network shares. */
export interface BlockStyle extends InitializationOptions {
  /** Taps of the resampling filter. @defaultValue [1, 1] */
  readonly resampleFilter?: readonly number[];
  /** Channels of an attention head; a block with fewer channels has no attention. @defaultValue 64 */
  readonly channelsPerHead?: number;
  /** Probability to drop an activation in training, or a layer of your own in its place. @defaultValue 0 */
  readonly dropout?: number | Dropout;
  /** Weight of the residual branch, in [0, 1]. @defaultValue 0.3 */
  readonly resBalance?: number;
  /** Weight of attention, in [0, 1]. @defaultValue 0.3 */
  readonly attnBalance?: number;
  /** Bound that outputs are clipped to; null for none. @defaultValue 256 */
  readonly clipAct?: number | null;
}

/** Options of {@link Block}. */
export interface BlockOptions extends BlockStyle {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Length of the embedding. */
  readonly embChannels: number;
  /** Encoder blocks normalize each pixel of their input, decoder blocks do not. @defaultValue 'enc' */
  readonly flavor?: 'enc' | 'dec';
  /** What happens to the input first. @defaultValue 'keep' */
  readonly resampleMode?: ResampleMode;
  /** Whether self-attention follows, in `floor(outChannels / channelsPerHead)` heads. @defaultValue false */
  readonly attention?: boolean;
}

/**
 * A residual block of EDM2's config G, magnitude-preserving throughout:
 *
 * x = resample(x); encoder: x = pixelNorm(skip(x)); y = conv1(silu(conv0(silu(x)) (1 + gain linear(emb))));
 * decoder: x = skip(x); x = mpSum(x, y, 0.3); x = mpSum(x, attention(x), 0.3); clip.
 *
 * `x` is `[N, inChannels, H, W]`, `emb` is `[N, embChannels]` or `[1, embChannels]`; the result is
 * `[N, outChannels, H', W']` with H' and W' halved, kept or doubled. `emb_gain` starts at 0: the block ignores `emb`
 * until it has learned to listen.
 *
 * Source: arXiv 2312.02696, figure 22 (config G), appendices B.6 and B.7; D.2 (the bound).
 *
 * @throws when channels do not fit.
 * @example
 * ```ts
 * const block = new Block({ inChannels: 32, outChannels: 64, embChannels: 64, attention: true });
 * block.call(zeros([8, 32, 16, 16]), zeros([8, 64])); // [8, 64, 16, 16]
 * ```
 */
export class Block extends Module {
  static override readonly names = snakeCase;

  readonly outChannels: number;
  readonly flavor: 'enc' | 'dec';
  readonly resampleMode: ResampleMode;
  readonly resampleFilter: readonly number[];
  /** Attention heads; 0 means no attention. */
  readonly heads: number;
  readonly resBalance: number;
  readonly attnBalance: number;
  readonly clipAct: number | null;
  readonly dropout: Dropout;
  // In the order of the published state dict.
  readonly embGain: Parameter;
  readonly convRes0: MPConv;
  readonly embLinear: MPLinear;
  readonly convRes1: MPConv;
  readonly convSkip: MPConv | undefined;
  readonly attnQkv: MPConv | undefined;
  readonly attnProj: MPConv | undefined;

  constructor(options: BlockOptions) {
    super();
    const { inChannels, outChannels, embChannels, flavor = 'enc', generator, dtype = 'float32' } = options;
    this.outChannels = outChannels;
    this.flavor = flavor;
    this.resampleMode = options.resampleMode ?? 'keep';
    this.resampleFilter = options.resampleFilter ?? [1, 1];
    this.heads = options.attention ? Math.floor(outChannels / (options.channelsPerHead ?? 64)) : 0;
    this.resBalance = options.resBalance ?? 0.3;
    this.attnBalance = options.attnBalance ?? 0.3;
    this.clipAct = options.clipAct === undefined ? 256 : options.clipAct;
    const given = generator === undefined ? {} : { generator };
    const { dropout = 0 } = options;
    // Without the generator of first values: a trainer decides what masks are drawn from.
    this.dropout = dropout instanceof Dropout ? dropout : new Dropout(dropout);
    const conv = (from: number, to: number, kernel: number) => new MPConv(from, to, { kernel, dtype, ...given });
    this.embGain = new Parameter(zeros([], { dtype }));
    this.convRes0 = conv(flavor === 'enc' ? outChannels : inChannels, outChannels, 3);
    this.embLinear = new MPLinear(embChannels, outChannels, { dtype, ...given });
    this.convRes1 = conv(outChannels, outChannels, 3);
    this.convSkip = inChannels === outChannels ? undefined : conv(inChannels, outChannels, 1);
    this.attnQkv = this.heads > 0 ? conv(outChannels, outChannels * 3, 1) : undefined;
    this.attnProj = this.heads > 0 ? conv(outChannels, outChannels, 1) : undefined;
  }

  forward(input: Tensor, emb: Tensor): Tensor {
    let x = resample(input, { mode: this.resampleMode, filter: this.resampleFilter });
    if (this.flavor === 'enc') x = pixelNorm(this.convSkip?.call(x) ?? x);

    let y = this.convRes0.call(mpSilu(x));
    const scale = this.embLinear.call(emb, this.embGain.value).add(1);
    y = mpSilu(y.mul(scale.reshape([-1, this.outChannels, 1, 1]).cast(y.dtype)));
    y = this.convRes1.call(this.dropout.call(y));

    if (this.flavor === 'dec') x = this.convSkip?.call(x) ?? x;
    x = mpSum(x, y, this.resBalance);
    if (this.attnQkv !== undefined && this.attnProj !== undefined) {
      const mixed = cosineAttention(this.attnQkv.call(x), { heads: this.heads });
      x = mpSum(x, this.attnProj.call(mixed), this.attnBalance);
    }
    return this.clipAct === null ? x : x.clip(-this.clipAct, this.clipAct);
  }
}
