import { MPConv, MPLinear, mpSilu, mpSum, pixelNorm, resample } from '@evenkeel/mp-nn';
import { type InitializationOptions, Module, Parameter } from '@evenkeel/nn';
import { concat, ones, type Tensor } from '@evenkeel/tensor';

/** Options of {@link Classifier}. */
export interface ClassifierOptions extends InitializationOptions {
  readonly imgChannels: number;
  readonly labelCount: number;
  /** Channels at each resolution; each halves the one before. */
  readonly widths: readonly number[];
}

/** Two 3x3 convolutions beside the identity, `[N, C, H, W]` to the same shape. */
class ResidualBlock extends Module {
  readonly conv0: MPConv;
  readonly conv1: MPConv;

  constructor(channels: number, options: InitializationOptions) {
    super();
    this.conv0 = new MPConv(channels, channels, { kernel: 3, ...options });
    this.conv1 = new MPConv(channels, channels, { kernel: 3, ...options });
  }

  forward(x: Tensor): Tensor {
    const y = this.conv0.call(mpSilu(x));
    return mpSum(x, this.conv1.call(mpSilu(y)), 0.5);
  }
}

/**
 * A small convolutional network that names the class of a picture, of magnitude-preserving layers throughout: at each
 * resolution a convolution to its width and a residual block, then the mean over the picture and a linear layer.
 *
 * `images` are latents `[N, imgChannels, R, R]`, -1 to 1; the result is logits `[N, labelCount]`.
 *
 * @example
 * ```ts
 * const classifier = new Classifier({ imgChannels: 3, labelCount: 10, widths: [24, 48, 72] });
 * classifier.call(zeros([8, 3, 16, 16])).argmax(1); // [8]
 * ```
 */
export class Classifier extends Module {
  readonly imgChannels: number;
  readonly inputs: readonly MPConv[];
  readonly blocks: readonly ResidualBlock[];
  readonly head: MPLinear;
  /** How sure it is: logits have this magnitude. */
  readonly gain: Parameter;

  constructor(options: ClassifierOptions) {
    super();
    const { imgChannels, labelCount, widths, ...init } = options;
    this.imgChannels = imgChannels;
    // The constant 1 beside the channels stands in for biases, which magnitude-preserving layers do not have.
    const before = [imgChannels + 1, ...widths];
    this.inputs = widths.map(
      (width, i) => new MPConv(before[i] as number, width, { kernel: i === 0 ? 3 : 1, ...init }),
    );
    this.blocks = widths.map((width) => new ResidualBlock(width, init));
    this.head = new MPLinear(before.at(-1) as number, labelCount, init);
    this.gain = new Parameter(ones([], { dtype: init.dtype ?? 'float32' }));
  }

  forward(images: Tensor): Tensor {
    return this.head.call(this.features(images), this.gain.value);
  }

  /** Numbers of a picture before the last layer. */
  get featureDim(): number {
    return this.head.weight.shape[1] as number;
  }

  /** What the last layer reads: `[N, featureDim]` of latents `[N, imgChannels, R, R]`. */
  features(images: Tensor): Tensor {
    const [batch, , height, width] = images.shape as [number, number, number, number];
    let x: Tensor = concat([images, ones([batch, 1, height, width], { dtype: images.dtype })], 1);
    this.inputs.forEach((input, level) => {
      if (level > 0) x = resample(x, { mode: 'down' });
      x = pixelNorm(input.call(x));
      x = (this.blocks[level] as ResidualBlock).call(x);
    });
    return mpSilu(x).mean([2, 3]);
  }
}
