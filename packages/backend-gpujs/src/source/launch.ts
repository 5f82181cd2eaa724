/** An array that a launch reads or writes: an operand of its kernel, or the result of an earlier launch of it. */
export type ArrayName =
  | { readonly kind: 'operand'; readonly number: number }
  | { readonly kind: 'temporary'; readonly number: number };

/**
 * A float that a launch is given: a launch argument of the kernel, or a part of one that is a whole number, or a number
 * that source text cannot say.
 */
export type Scalar =
  | { readonly kind: 'argument'; readonly number: number; readonly part?: 'high' | 'low' }
  | { readonly kind: 'constant'; readonly value: number };

/** A function that generated code calls. It may call none itself: GLSL would want them in order. */
export interface HelperFunction {
  readonly name: string;
  readonly source: string;
  readonly argumentTypes: readonly 'Float'[];
  readonly returnType: 'Float';
}

/** One gpu.js kernel: a thread for each number of its result, or for four. */
export interface Launch {
  readonly source: string;
  readonly functions: readonly HelperFunction[];
  readonly arrays: readonly ArrayName[];
  readonly scalars: readonly Scalar[];
  readonly result: ArrayName;
  /** Of the result. */
  readonly length: number;
  /** Whether a thread returns four numbers, side by side. */
  readonly isPacked: boolean;
}
