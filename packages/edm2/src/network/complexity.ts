import type { PrecondOptions } from './precondition.ts';
import { type LayerPlan, planUNet } from './unet-plan.ts';

/** Kinds of operations that are counted. */
export type CountedOp =
  | 'convolution'
  | 'matmul'
  | 'vector norm'
  | 'mul'
  | 'div'
  | 'add'
  | 'silu'
  | 'lerp'
  | 'softmax'
  | 'clip'
  | 'pow'
  | 'sqrt'
  | 'reciprocal'
  | 'log'
  | 'outer'
  | 'cos';

/** What a network costs. */
export interface NetworkComplexity {
  /** Trained numbers: weights, gains and the head u(sigma); Fourier frequencies and phases are not trained. */
  readonly parameters: number;
  /** Operations of one evaluation of D for one image. */
  readonly flops: number;
  /** The same by kind, most first. */
  readonly flopsByOp: ReadonlyMap<CountedOp, number>;
}

/**
 * Counts parameters and operations of a {@link Precond} from its options alone, as the paper does: one multiplication with
 * its addition is one operation. A convolution or matrix product counts its outputs times the length of each sum, an
 * elementwise operation its outputs (silu and softmax three times, interpolation and clipping twice), a norm its inputs;
 * moving, casting and joining count nothing. The normalization of weights is included, the head u(sigma) is not evaluated.
 *
 * Source: arXiv 2312.02696, table 2 and figure 2.
 *
 * @throws as {@link Precond} does, when the options fit no network.
 * @example
 * ```ts
 * const size = networkComplexity({ imgResolution: 64, imgChannels: 4, labelDim: 1000, modelChannels: 192 });
 * size.parameters; // 280212837
 * size.flops; // 101917945652
 * ```
 */
export function networkComplexity(options: PrecondOptions): NetworkComplexity {
  const { imgResolution, imgChannels, labelDim, logvarChannels = 128 } = options;
  const { noiseChannels, embChannels, enc, dec } = planUNet(options);
  const counter = new Counter();

  // Coefficients of the preconditioning, for one sigma; x cIn, x cSkip, F cOut, and their sum.
  counter.add('pow', 3).add('sqrt', 2).add('reciprocal', 2).add('log', 1).add('add', 3).add('div', 2).add('mul', 3);
  const image = imgChannels * imgResolution ** 2;
  counter.add('mul', 3 * image).add('add', image);

  counter.add('outer', noiseChannels).add('add', noiseChannels).add('cos', noiseChannels).add('mul', noiseChannels);
  counter.linear(noiseChannels, embChannels);
  if (labelDim > 0) {
    counter.add('mul', labelDim);
    counter.linear(labelDim, embChannels);
    counter.mpSum(embChannels);
  }
  counter.mpSilu(embChannels);

  for (const layer of enc) {
    if (layer.resampleMode === undefined) counter.convolution(layer.inChannels, layer.outChannels, 3, layer.resolution);
    else countBlock(counter, layer, 'enc', embChannels, options);
  }
  for (const layer of dec) {
    if (layer.skipChannels > 0) counter.mpConcat(layer.inChannels * layer.resolution ** 2);
    countBlock(counter, layer, 'dec', embChannels, options);
  }
  const { outChannels } = dec.at(-1) as LayerPlan;
  counter.gain();
  counter.convolution(outChannels, imgChannels, 3, imgResolution, { hasGain: true });

  const flopsByOp = new Map([...counter.flops].sort(([, a], [, b]) => b - a));
  const flops = [...flopsByOp.values()].reduce((sum, count) => sum + count, 0);
  return { parameters: counter.parameters + logvarChannels, flops, flopsByOp };
}

function countBlock(
  counter: Counter,
  layer: LayerPlan,
  flavor: 'enc' | 'dec',
  embChannels: number,
  options: PrecondOptions,
): void {
  const { inChannels, outChannels, resolution, resampleMode, attention = false } = layer;
  const { resampleFilter = [1, 1], channelsPerHead = 64, clipAct = 256 } = options;
  const pixels = resolution ** 2;
  const [inputs, outputs] = [inChannels * pixels, outChannels * pixels];
  const taps = resampleFilter.length ** 2;
  if (resampleMode === 'down') counter.add('convolution', inputs * taps);
  if (resampleMode === 'up') counter.add('convolution', inputs * taps).add('mul', taps);

  if (flavor === 'enc') {
    if (inChannels !== outChannels) counter.convolution(inChannels, outChannels, 1, resolution);
    counter.normalize(outputs, pixels);
  }
  const mainChannels = flavor === 'enc' ? outChannels : inChannels;
  counter.mpSilu(mainChannels * pixels);
  counter.convolution(mainChannels, outChannels, 3, resolution);
  counter.gain();
  counter.linear(embChannels, outChannels, { hasGain: true });
  counter.add('add', outChannels).add('mul', outputs);
  counter.mpSilu(outputs);
  counter.convolution(outChannels, outChannels, 3, resolution);
  if (flavor === 'dec' && inChannels !== outChannels) counter.convolution(inChannels, outChannels, 1, resolution);
  counter.mpSum(outputs);

  const heads = attention ? Math.floor(outChannels / channelsPerHead) : 0;
  if (heads > 0) {
    counter.convolution(outChannels, 3 * outChannels, 1, resolution);
    counter.normalize(3 * outputs, 3 * heads * pixels);
    counter.add('mul', 1); // the number of pixels
    counter
      .add('div', outputs)
      .add('matmul', 2 * outputs * pixels)
      .add('softmax', 3 * heads * pixels ** 2);
    counter.convolution(outChannels, outChannels, 1, resolution);
    counter.mpSum(outputs);
  }
  if (clipAct !== null) counter.add('clip', 2 * outputs);
}

interface LayerCount {
  /** Whether a trained gain takes the place of 1. */
  readonly hasGain?: boolean;
}

class Counter {
  readonly flops = new Map<CountedOp, number>();
  parameters = 0;

  add(op: CountedOp, count: number): this {
    this.flops.set(op, (this.flops.get(op) ?? 0) + count);
    return this;
  }

  gain(): void {
    this.parameters++;
  }

  /** `groups` norms over `inputs` numbers. */
  normalize(inputs: number, groups: number): void {
    this.add('vector norm', inputs).add('add', groups).add('div', inputs);
  }

  mpSilu(count: number): void {
    this.add('silu', 3 * count).add('div', count);
  }

  mpSum(count: number): void {
    this.add('lerp', 2 * count).add('div', count);
  }

  /** The factor of each part is a number that depends on its channels: a quotient and a product. */
  mpConcat(count: number): void {
    this.add('mul', count + 2).add('div', 2);
  }

  linear(inputs: number, outputs: number, layer: LayerCount = {}): void {
    this.#weight(inputs, outputs, layer);
    this.add('matmul', inputs * outputs);
  }

  convolution(inputs: number, outputs: number, kernel: number, resolution: number, layer: LayerCount = {}): void {
    const length = inputs * kernel ** 2;
    this.#weight(length, outputs, layer);
    this.add('convolution', length * outputs * resolution ** 2);
  }

  /** Normalized, then scaled by gain / sqrt(length of a row). */
  #weight(length: number, rows: number, { hasGain = false }: LayerCount): void {
    const size = length * rows;
    this.parameters += size;
    this.normalize(size, rows);
    this.add('mul', size);
    if (hasGain) this.add('div', 1);
    else this.add('reciprocal', 1).add('mul', 1);
  }
}
