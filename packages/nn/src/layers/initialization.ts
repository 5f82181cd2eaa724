import { type DType, Generator, type Shape, type Tensor } from '@evenkeel/tensor';

/** Where a layer's first values come from. */
export interface InitializationOptions {
  /**
   * Source of random first values.
   * @defaultValue that of {@link withGenerator}; outside of it one for all layers, seeded with 0 (see {@link seedLayers})
   */
  readonly generator?: Generator;
  /** Dtype of the Parameters. @defaultValue 'float32' */
  readonly dtype?: 'float32' | 'float64';
}

let shared = new Generator(0);
const scoped: Generator[] = [];

/**
 * Reseeds the generator of layers that are given none. Layers draw from it in the order of their construction, so the
 * same program gives the same network; pass `generator` where construction order may vary.
 *
 * @example
 * ```ts
 * seedLayers(42);
 * const model = new Sequential(new Linear(2, 8), new ReLU(), new Linear(8, 1)); // the same in every run
 * ```
 */
export function seedLayers(seed: number): void {
  shared = new Generator(seed);
}

/**
 * Runs `body`, which must be synchronous: layers that are given no generator draw from `generator` in it, first values
 * where they are made and dropout masks where they are called.
 *
 * @example
 * ```ts
 * const drop = new Dropout(0.5);
 * const [seed, step] = [1, 700];
 * // Masks follow from seed and step: the same after a resume.
 * const y = withGenerator(new Generator(seed).fork(step), () => drop.call(ones([8, 64])));
 * ```
 */
export function withGenerator<T>(generator: Generator, body: () => T): T {
  scoped.push(generator);
  try {
    return body();
  } finally {
    scoped.pop();
  }
}

/** Kaiming uniform with a = sqrt(5), the usual first values of weights and biases: U(-1/sqrt(fanIn), 1/sqrt(fanIn)). */
export function fanInUniform(shape: Shape, fanIn: number, options: InitializationOptions): Tensor {
  return symmetricUniform(shape, fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0, options);
}

/** Xavier (Glorot) uniform: U(-b, b), b = sqrt(6 / (fanIn + fanOut)). */
export function xavierUniform(shape: Shape, fanIn: number, fanOut: number, options: InitializationOptions): Tensor {
  return symmetricUniform(shape, Math.sqrt(6 / (fanIn + fanOut)), options);
}

/**
 * N(0, 1).
 *
 * @example
 * ```ts
 * const weight = new Parameter(standardNormal([64, 32], { generator: new Generator(1) }));
 * ```
 */
export function standardNormal(shape: Shape, options: InitializationOptions): Tensor {
  return generatorOf(options).normal(shape, { dtype: dtypeOf(options) });
}

/**
 * The generator that a layer with these options draws from.
 *
 * @example
 * ```ts
 * // In the constructor of a layer that takes InitializationOptions:
 * const options: InitializationOptions = { generator: new Generator(1) };
 * const phases = generatorOf(options).uniform([64]); // [64]
 * ```
 */
export function generatorOf(options: { readonly generator?: Generator }): Generator {
  return options.generator ?? scoped.at(-1) ?? shared;
}

export function dtypeOf(options: InitializationOptions): DType & ('float32' | 'float64') {
  return options.dtype ?? 'float32';
}

function symmetricUniform(shape: Shape, bound: number, options: InitializationOptions): Tensor {
  return generatorOf(options).uniform(shape, { low: -bound, high: bound, dtype: dtypeOf(options) });
}
