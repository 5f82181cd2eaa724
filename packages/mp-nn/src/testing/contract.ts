import type { Generator, Shape, Tensor } from '@evenkeel/tensor';
import type { Arbitrary } from 'fast-check';

/** A function of tensors whose magnitudes are measured. */
export type MagnitudeFunction = (...inputs: Tensor[]) => Tensor;

/** Anything with `call`, such as a Module. */
export interface CallableLayer {
  call(...inputs: Tensor[]): Tensor;
  dispose?(): void;
}

/** What magnitudes a layer should have for one configuration. */
export interface ExpectedMagnitude {
  /** RMS of the output. */
  readonly output: number;
  /** RMS of the gradient by each input, when the output's gradient is white with RMS 1. */
  readonly inputGradients: readonly number[];
}

/**
 * A layer's promise about magnitudes: over white unit normal inputs and fresh random weights, the mean square of its
 * output, and of its input gradients for a white output gradient of RMS 1, is the square of `expected`.
 */
export interface MagnitudeContract<Config = never> {
  readonly name: string;
  /** How the inputs are distributed, in words. */
  readonly inputLaw: string;
  /** Why the expected values are what they are; what a reader sees when a value is not 1. */
  readonly reason: string;
  /** Known small deviations from the formula, which the check's allowance of 0.2% covers. */
  readonly biases: readonly string[];
  /** Shapes, fan-ins, kernel sizes and parameters to try. */
  readonly configurations: Arbitrary<Config>;
  /** Shapes of the inputs for a configuration. */
  inputShapes(config: Config): readonly Shape[];
  /** A fresh layer with its weights drawn from `generator`. */
  create(config: Config, generator: Generator): MagnitudeFunction | CallableLayer;
  /** Exact where a formula is known, else from a float64 Monte Carlo computation. */
  expected(config: Config): ExpectedMagnitude;
}
