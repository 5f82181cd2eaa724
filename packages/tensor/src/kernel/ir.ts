import type { BinaryOp, CompareOp, HostFunction, UnaryOp } from '../graph/node.ts';
import type { DType } from '../types/dtype.ts';

/**
 * The kernel language that every backend prints. A kernel is pure structure: buffers are numbered operands, floats
 * that vary are numbered arguments, so two kernels with equal structure share one compiled form.
 */
export type Kernel = RowKernel | Contraction | ScatterAdd | HostStep;

/** Whole-number arithmetic over loop axes. Values fit int32 unless a tensor has more than 2^31 elements. */
export type Index =
  | { readonly kind: 'literal'; readonly value: number }
  | { readonly kind: 'axis'; readonly axis: number }
  | { readonly kind: 'add'; readonly left: Index; readonly right: Index }
  | { readonly kind: 'mul'; readonly left: Index; readonly by: number }
  | { readonly kind: 'floorDiv'; readonly left: Index; readonly by: number }
  | { readonly kind: 'mod'; readonly left: Index; readonly by: number }
  /** An element of an integer operand (`index` counts its elements as stored); reads 0 where a guard fails. */
  | { readonly kind: 'load'; readonly operand: number; readonly index: Index; readonly guards: readonly Guard[] };

/** A condition on indices. floorDiv and mod round towards minus infinity, so negative indices are fine here. */
export type Guard =
  /** from <= index < to */
  | { readonly kind: 'range'; readonly index: Index; readonly from: number; readonly to: number }
  /** index mod of = 0 */
  | { readonly kind: 'multiple'; readonly index: Index; readonly of: number };

/**
 * A scalar expression; shared objects are shared values (a DAG). Everything may be evaluated unconditionally:
 * loads carry their own guards and read 0 where one fails, without touching memory. Loads without guards are always
 * inside their operand. Where a guard fails, an index may be anything, negative too.
 */
export type Expr =
  /** May be infinite, NaN or -0. */
  | { readonly kind: 'literal'; readonly dtype: DType; readonly value: number }
  /** A launch argument, given as float64 and converted to dtype. */
  | { readonly kind: 'argument'; readonly dtype: DType; readonly argument: number }
  /** An index as a value (dtype int32). */
  | { readonly kind: 'index'; readonly dtype: DType; readonly index: Index }
  | {
      readonly kind: 'load';
      readonly dtype: DType;
      readonly operand: number;
      readonly index: Index;
      readonly guards: readonly Guard[];
    }
  | { readonly kind: 'unary'; readonly dtype: DType; readonly op: UnaryOp; readonly operand: Expr }
  | { readonly kind: 'binary'; readonly dtype: DType; readonly op: BinaryOp; readonly left: Expr; readonly right: Expr }
  /** Random bits: the first word of Threefry-2x32-20 of the counter (element, stream) under the key. All are uint32. */
  | {
      readonly kind: 'random';
      readonly dtype: 'uint32';
      readonly key: readonly [Expr, Expr];
      readonly element: Expr;
      readonly stream: Expr;
    }
  | {
      readonly kind: 'compare';
      readonly dtype: 'bool';
      readonly op: CompareOp;
      readonly left: Expr;
      readonly right: Expr;
    }
  | {
      readonly kind: 'where';
      readonly dtype: DType;
      readonly condition: Expr;
      readonly then: Expr;
      readonly otherwise: Expr;
    }
  /** `then` where all guards hold. */
  | {
      readonly kind: 'guard';
      readonly dtype: DType;
      readonly guards: readonly Guard[];
      readonly then: Expr;
      readonly otherwise: Expr;
    }
  | { readonly kind: 'cast'; readonly dtype: DType; readonly operand: Expr }
  /** The value of an earlier stage of the row: one a row for reduce, one an element for map and scan. */
  | { readonly kind: 'stage'; readonly dtype: DType; readonly stage: number }
  /** The finished sum of a contraction, in its epilogue. */
  | { readonly kind: 'accumulator'; readonly dtype: DType };

/**
 * Writes `value` to element `index` of an operand. Distinct loop positions write distinct elements, and together all of
 * them: `index` is a sum of axes (those of its domain) times strides, a mixed-radix number. So a backend whose threads
 * each make one given element can turn it round.
 */
export interface Store {
  readonly operand: number;
  readonly index: Index;
  readonly value: Expr;
}

/**
 * One ordered stage over a row's inner axes. `map` keeps one value an element for later stages (a backend may
 * store or recompute it); `reduce` gives one value a row; `scan` one an element, inclusive, along all inner
 * axes in row-major order, from the end where `reverse`. A `store` in `element` domain writes at every element,
 * in `row` domain once a row. Consecutive stores are one: at each element all their values are computed (and all
 * loads done) before any is written, so that `inout` operands may be overwritten.
 */
export type Stage =
  | { readonly kind: 'map'; readonly value: Expr }
  | { readonly kind: 'reduce'; readonly op: ReduceOp; readonly value: Expr }
  | { readonly kind: 'scan'; readonly op: ReduceOp; readonly reverse: boolean; readonly value: Expr }
  | { readonly kind: 'store'; readonly domain: 'row' | 'element'; readonly store: Store };

/** max and min hand on NaN, as NumPy does. Sums of float32 may be held in float64 or pairwise, never worse than float32 in order. */
export type ReduceOp = 'sum' | 'max' | 'min' | 'prod';

/** A buffer that a kernel touches. */
export interface Operand {
  readonly dtype: DType;
  /** inout: read and written in place, every element read at the index where it is written. */
  readonly access: 'in' | 'out' | 'inout';
}

/**
 * Parallel outer axes (never empty ones), then stages over inner axes (which may have size 0, as may a contraction's k). Axis numbers: outer first, inner after them.
 * Without inner axes (elementwise work) there are only `row` stores.
 */
export interface RowKernel {
  readonly kind: 'row';
  readonly operands: readonly Operand[];
  /** Dtypes of the launch arguments, by number. */
  readonly arguments: readonly DType[];
  readonly outer: readonly number[];
  readonly inner: readonly number[];
  readonly stages: readonly Stage[];
}

/** An array that a kernel reads by one stride an axis: element (i, j ...) is `offset + i * strides[0] + j * strides[1] ...` */
export interface StridedRead {
  readonly operand: number;
  readonly offset: number;
  /** By axis of the tensor; negative where it is read backwards, 0 for axes of size 1. */
  readonly strides: readonly number[];
}

/**
 * What a convolution is, for backends with better algorithms than the index maps spell out. A contraction with a tag has
 * batch = groups, m = [batch, ...output positions], n = output channels of a group, k = [channels of a group, ...taps];
 * axes of size 1 are left out and neighbours may be one axis, so products of sizes from the left tell which is which.
 */
export interface ConvTag {
  readonly role: 'forward' | 'inputGradient' | 'weightGradient';
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly inputDilation: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly groups: number;
  /** Sizes: batch, input channels (all groups), input spatial; output channels, output spatial. */
  readonly input: readonly number[];
  readonly output: readonly number[];
  /**
   * How `a` reads the input [N, C, ...] and `b` the weight [O, C / groups, ...]: the one strided load of each, alone or in
   * a prologue. Absent where it is anything else (a pad, a gather, a sum of two arrays). Where results go, the stores say.
   */
  readonly reads: { readonly input?: StridedRead; readonly weight?: StridedRead };
}

/**
 * `C[b, m, n] = sum over k of a(b, m, k) * b(b, k, n)`. Axis numbers run over batch, m, n, k in this order.
 * `a` uses axes of batch, m, k; `b` those of batch, n, k; the stores' values may use batch, m, n and `accumulator`;
 * at each output all of them are computed before any is written.
 */
export interface Contraction {
  readonly kind: 'contraction';
  readonly operands: readonly Operand[];
  readonly arguments: readonly DType[];
  readonly batch: readonly number[];
  readonly m: readonly number[];
  readonly n: readonly number[];
  readonly k: readonly number[];
  readonly a: Expr;
  readonly b: Expr;
  readonly dtype: DType;
  readonly stores: readonly Store[];
  readonly conv?: ConvTag;
}

/**
 * First every element of the target becomes `initial`, then each update is added, in increasing update order.
 * Axis numbers: outer first (parallel, they select disjoint parts of the target), then one more axis that is the
 * position in `initial` and `target` (0 ... size - 1) and the update number in `update` and `position` (0 ... updates - 1).
 * Updates whose position is outside 0 ... size - 1 are dropped.
 */
export interface ScatterAdd {
  readonly kind: 'scatterAdd';
  readonly operands: readonly Operand[];
  readonly arguments: readonly DType[];
  readonly outer: readonly number[];
  readonly size: number;
  readonly updates: number;
  readonly target: { readonly operand: number; readonly index: Index };
  readonly initial: Expr;
  readonly position: Index;
  readonly update: Expr;
}

/** A function on the host between kernels; operands are its inputs in order, then its one output. */
export interface HostStep {
  readonly kind: 'host';
  readonly operands: readonly Operand[];
  readonly arguments: readonly DType[];
  readonly name: string;
  readonly run: HostFunction;
}
