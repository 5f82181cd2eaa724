/** Which of a convolution's three sums is computed. */
export type ConvolutionRole = 'forward' | 'input-gradient' | 'weight-gradient';

/** Operations whose time is that of memory. */
export type ElementwiseOperation = 'mp-silu' | 'mp-silu-sum' | 'pixel-norm' | 'weight-norm' | 'softmax' | 'add' | 'sum';

/** Options of an EDM2 network, as every implementation understands them. */
export interface NetworkTask {
  readonly imgResolution: number;
  readonly imgChannels: number;
  readonly labelDim: number;
  readonly modelChannels: number;
  readonly channelMult: readonly number[];
  readonly numBlocks: number;
  readonly attnResolutions: readonly number[];
  readonly channelsPerHead: number;
}

/**
 * What is to be computed, as plain data: it travels to processes in other languages. Arrays are float32, row-major,
 * images `[N, C, H, W]`, weights `[out, in, kernel, kernel]`; an implementation may store them as it likes before the clock starts.
 */
export type Task =
  | { readonly kind: 'sgemm'; readonly m: number; readonly n: number; readonly k: number }
  | {
      readonly kind: 'convolution';
      readonly role: ConvolutionRole;
      readonly batch: number;
      readonly inChannels: number;
      readonly outChannels: number;
      readonly size: number;
      readonly kernel: number;
    }
  /** softmax(q k^T / sqrt(channels)) v over `[batch, heads, positions, channels]`. */
  | {
      readonly kind: 'attention';
      readonly batch: number;
      readonly heads: number;
      readonly positions: number;
      readonly channels: number;
    }
  | { readonly kind: 'elementwise'; readonly operation: ElementwiseOperation; readonly shape: readonly number[] }
  /** An EDM2 block: gives the result and, where it goes backward too, the gradients of all inputs, in their order. */
  | {
      readonly kind: 'block';
      readonly isForwardOnly: boolean;
      readonly flavor: 'enc' | 'dec';
      readonly batch: number;
      readonly inChannels: number;
      readonly outChannels: number;
      readonly embChannels: number;
      readonly size: number;
      readonly heads: number;
    }
  | {
      readonly kind: 'train-step';
      readonly network: NetworkTask;
      readonly batch: number;
      readonly learningRate: number;
      /** Lengths of the averages: exponents gamma of their profiles. */
      readonly emaExponents: readonly number[];
      readonly emaStds: readonly number[];
    }
  | {
      readonly kind: 'sampling';
      readonly network: NetworkTask;
      readonly batch: number;
      /** Noise levels from the highest to 0; Heun's method. */
      readonly sigmas: readonly number[];
    }
  | { readonly kind: 'copy'; readonly length: number }
  /** `count` products in a row, each of the last one's result: x w w w ..., all matrices `[size, size]`. */
  | { readonly kind: 'chain'; readonly count: number; readonly size: number }
  /** What the host does for a kernel of a training step, not waiting for any. */
  | { readonly kind: 'host-time'; readonly step: TaskOf<'train-step'> };

/** Task of one kind. */
export type TaskOf<K extends Task['kind']> = Extract<Task, { kind: K }>;

/** An input by name; its values wait in a file of float32. */
export interface InputFile {
  readonly name: string;
  readonly shape: readonly number[];
  readonly file: string;
}
