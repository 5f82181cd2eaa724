import type { NdArray } from 'ndarray';
import type { Node } from '../graph/node.ts';
import { pinNodes, readNodes } from '../runtime/realize.ts';
import { disposeNode } from '../runtime/storage.ts';
import { checkDType, type DType, type HostArray } from '../types/dtype.ts';
import { elementCount, type Shape, showShape } from '../types/shape.ts';
import { apply, type TensorOrNumber } from './apply.ts';
import * as arithmetic from './arithmetic.ts';
import * as indexing from './indexing.ts';
import { type NestedArray, nest, toNdarray } from './interop.ts';
import * as linear from './linear.ts';
import * as movement from './movement.ts';
import type { Axes, ReduceOptions, VarianceOptions } from './reductions.ts';
import * as reductions from './reductions.ts';

/**
 * An array of numbers that is not computed until it is read: a handle on an immutable step of a computation. Methods
 * check shapes and dtypes at once, throw at once, and compute nothing; `data()`, `item()`, `array()`, `realize()` do.
 * Two tensors in one operation broadcast as in NumPy and must have the same dtype; numbers adopt the tensor's.
 *
 * @example
 * const x = tensor([[1, 2], [3, 4]]);
 * await x.mul(2).sum(0).array(); // [8, 12]
 */
export class Tensor<D extends DType = DType> {
  #node: Node;

  constructor(node: Node) {
    this.#node = node;
  }

  /** The step of the computation that this handle stands for. */
  get node(): Node {
    return this.#node;
  }

  /** Sizes of the axes. */
  get shape(): Shape {
    return this.#node.shape;
  }

  /** Type of the elements. */
  get dtype(): D {
    return this.#node.dtype as D;
  }

  /** Number of axes. */
  get rank(): number {
    return this.#node.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.#node.shape);
  }

  toString(): string {
    return `Tensor(${this.dtype} ${showShape(this.shape)})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  // Reading

  /** The values, row-major, in a host array of their own. `await x.sum().data()` */
  async data(): Promise<HostArray<D>> {
    const [values] = await readNodes([this.#node]);
    return values as HostArray<D>;
  }

  /**
   * The only element; bools are 0 and 1. `await loss.item()`
   *
   * @throws unless the tensor has exactly one element.
   */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new Error(`item: ${showShape(this.shape)} has ${this.size} elements, not one. Reduce first, or use data()`);
    }
    return (await this.data())[0] as number;
  }

  /** The values as nested arrays; bools are booleans. `await eye(2).array() // [[1, 0], [0, 1]]` */
  async array(): Promise<NestedArray> {
    return nest(await this.data(), this.shape, this.dtype);
  }

  /** The values as an `ndarray` (the scijs package), row-major. `(await x.ndarray()).get(0, 1)` */
  async ndarray(): Promise<NdArray<HostArray<D>>> {
    return toNdarray(await this.data(), this.shape);
  }

  /**
   * Computes the values and keeps them on the device; the handle lets go of how they were made. They stay until
   * `dispose()`, or the end of the block that holds them with `using`.
   */
  async realize(): Promise<this> {
    const [leaf] = await pinNodes([this.#node]);
    this.#node = leaf as Node;
    return this;
  }

  /** Points the handle at a computed leaf. For `realize` and its like. */
  settle(leaf: Node<'buffer'>): void {
    this.#node = leaf;
  }

  /** Frees what `realize()` keeps; without it, does nothing. */
  dispose(): void {
    disposeNode(this.#node);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  // Arithmetic, element by element

  /** Sum. `x.add(1)` */
  add(other: TensorOrNumber): Tensor<D> {
    return arithmetic.binary('add', 'add', this, other);
  }

  /** Difference. `x.sub(x.mean())` */
  sub(other: TensorOrNumber): Tensor<D> {
    return arithmetic.binary('sub', 'sub', this, other);
  }

  /** Product. `x.mul(mask)` */
  mul(other: TensorOrNumber): Tensor<D> {
    return arithmetic.binary('mul', 'mul', this, other);
  }

  /** Quotient of real numbers; division by zero gives infinities and NaN. `x.div(2)` */
  div(other: TensorOrNumber): Tensor<D> {
    return arithmetic.binary('div', 'div', this, other);
  }

  /** Quotient rounded down, also for negative numbers. `x.floorDiv(2)` */
  floorDiv(other: TensorOrNumber): Tensor<D> {
    return arithmetic.binary('floorDiv', 'floorDiv', this, other);
  }

  /** Remainder with the sign of the divisor, as in NumPy: -1 mod 3 is 2. `x.mod(3)` */
  mod(other: TensorOrNumber): Tensor<D> {
    return arithmetic.binary('mod', 'mod', this, other);
  }

  /** Power; negative bases to broken exponents give NaN. `x.pow(3)` */
  pow(exponent: TensorOrNumber): Tensor<D> {
    return arithmetic.pow(this, exponent);
  }

  /** The larger of two; NaN wins, equal ones share the gradient. `x.maximum(0)` */
  maximum(other: TensorOrNumber): Tensor<D> {
    return arithmetic.binary('max', 'maximum', this, other);
  }

  /** The smaller of two; NaN wins, equal ones share the gradient. `x.minimum(1)` */
  minimum(other: TensorOrNumber): Tensor<D> {
    return arithmetic.binary('min', 'minimum', this, other);
  }

  /** The opposite number. `x.neg()` */
  neg(): Tensor<D> {
    return arithmetic.unary('neg', this);
  }

  /** Magnitude; its gradient at 0 is 0. `x.abs()` */
  abs(): Tensor<D> {
    return arithmetic.unary('abs', this);
  }

  /** -1, 0 or 1. `x.sign()` */
  sign(): Tensor<D> {
    return arithmetic.unary('sign', this);
  }

  /** Rounded down. `x.floor()` */
  floor(): Tensor<D> {
    return arithmetic.unary('floor', this);
  }

  /** Rounded up. `x.ceil()` */
  ceil(): Tensor<D> {
    return arithmetic.unary('ceil', this);
  }

  /** Rounded to the nearest whole number, halves to the even one. `x.round()` */
  round(): Tensor<D> {
    return arithmetic.unary('round', this);
  }

  /** e to the power of each element. `x.exp()` */
  exp(): Tensor<D> {
    return arithmetic.unary('exp', this);
  }

  /** Natural logarithm. `x.log()` */
  log(): Tensor<D> {
    return arithmetic.unary('log', this);
  }

  /** Square root; its gradient at 0 is infinite. `x.sqrt()` */
  sqrt(): Tensor<D> {
    return arithmetic.unary('sqrt', this);
  }

  /** 1 / sqrt(x). `x.rsqrt()` */
  rsqrt(): Tensor<D> {
    return arithmetic.reciprocal(this.sqrt());
  }

  /** x times x. `x.square()` */
  square(): Tensor<D> {
    return this.mul(this);
  }

  /** 1 / x. `x.reciprocal()` */
  reciprocal(): Tensor<D> {
    return arithmetic.reciprocal(this);
  }

  /** Sine, of radians. `x.sin()` */
  sin(): Tensor<D> {
    return arithmetic.unary('sin', this);
  }

  /** Cosine, of radians. `x.cos()` */
  cos(): Tensor<D> {
    return arithmetic.unary('cos', this);
  }

  /** Hyperbolic tangent. `x.tanh()` */
  tanh(): Tensor<D> {
    return arithmetic.unary('tanh', this);
  }

  /** 1 / (1 + exp(-x)). `x.sigmoid()` */
  sigmoid(): Tensor<D> {
    return arithmetic.unary('sigmoid', this);
  }

  /** x * sigmoid(x). `x.silu()` */
  silu(): Tensor<D> {
    return this.mul(this.sigmoid());
  }

  /** max(x, 0), with gradient 0 at 0. `x.relu()` */
  relu(): Tensor<D> {
    return arithmetic.relu(this);
  }

  /** x times the normal distribution function, exactly (by erf). `x.gelu()` */
  gelu(): Tensor<D> {
    return arithmetic.gelu(this);
  }

  /** The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x. `x.erf()` */
  erf(): Tensor<D> {
    return arithmetic.unary('erf', this);
  }

  /** Kept between two bounds; elements inside, and on a bound, pass their gradient on. `x.clip(-1, 1)` */
  clip(low: TensorOrNumber, high: TensorOrNumber): Tensor<D> {
    return arithmetic.clip(this, low, high);
  }

  // Comparisons, to bools; with NaN all but notEqual are false

  /** Whether both are the same number. `x.equal(0)` */
  equal(other: TensorOrNumber): Tensor<'bool'> {
    return arithmetic.compare('equal', 'equal', this, other);
  }

  /** Whether they differ; NaN differs from itself. `x.notEqual(0)` */
  notEqual(other: TensorOrNumber): Tensor<'bool'> {
    return arithmetic.compare('notEqual', 'notEqual', this, other);
  }

  /** `x.less(0)` */
  less(other: TensorOrNumber): Tensor<'bool'> {
    return arithmetic.compare('less', 'less', this, other);
  }

  /** `x.lessEqual(1)` */
  lessEqual(other: TensorOrNumber): Tensor<'bool'> {
    return arithmetic.compare('lessEqual', 'lessEqual', this, other);
  }

  /** `x.greater(0)` */
  greater(other: TensorOrNumber): Tensor<'bool'> {
    return arithmetic.compareSwapped('less', 'greater', this, other);
  }

  /** `x.greaterEqual(y)` */
  greaterEqual(other: TensorOrNumber): Tensor<'bool'> {
    return arithmetic.compareSwapped('lessEqual', 'greaterEqual', this, other);
  }

  /** Whether elements are NaN. `x.isNaN().any()` */
  isNaN(): Tensor<'bool'> {
    return arithmetic.isNotANumber(this);
  }

  /** Turns bools round. `mask.logicalNot()` */
  logicalNot(): Tensor<'bool'> {
    return arithmetic.logicalNot(this);
  }

  /** Whether both bools hold. `a.logicalAnd(b)` */
  logicalAnd(other: Tensor): Tensor<'bool'> {
    return arithmetic.logical('min', 'logicalAnd', this, other);
  }

  /** Whether either bool holds. `a.logicalOr(b)` */
  logicalOr(other: Tensor): Tensor<'bool'> {
    return arithmetic.logical('max', 'logicalOr', this, other);
  }

  // Reductions: over all axes unless told

  /** `tensor([[1, 2], [3, 4]]).sum(1) // [3, 7]` */
  sum(axes?: Axes, options?: ReduceOptions): Tensor<D> {
    return reductions.reduce('sum', this, axes, options);
  }

  /** Arithmetic mean of real numbers. `x.mean([2, 3], { keepAxes: true })` */
  mean(axes?: Axes, options?: ReduceOptions): Tensor<D> {
    return reductions.mean(this, axes, options);
  }

  /** Mean squared distance from the mean. `x.var(0, { correction: 1 })` */
  var(axes?: Axes, options?: VarianceOptions): Tensor<D> {
    return reductions.variance(this, axes, options);
  }

  /** Square root of the variance. `x.std()` */
  std(axes?: Axes, options?: VarianceOptions): Tensor<D> {
    return this.var(axes, options).sqrt();
  }

  /** Largest element; NaN wins, equal ones share the gradient. `x.max(-1)` */
  max(axes?: Axes, options?: ReduceOptions): Tensor<D> {
    return reductions.reduce('max', this, axes, options);
  }

  /** Smallest element; NaN wins, equal ones share the gradient. `x.min(-1)` */
  min(axes?: Axes, options?: ReduceOptions): Tensor<D> {
    return reductions.reduce('min', this, axes, options);
  }

  /** Product of the elements. `x.prod(0)` */
  prod(axes?: Axes, options?: ReduceOptions): Tensor<D> {
    return reductions.reduce('prod', this, axes, options);
  }

  /** Position of the first largest element (a NaN counts as largest), of the flat tensor without an axis. `logits.argmax(-1)` */
  argmax(axis?: number, options?: ReduceOptions): Tensor<'int32'> {
    return reductions.argument('max', this, axis, options);
  }

  /** Position of the first smallest element (a NaN counts as smallest), of the flat tensor without an axis. `x.argmin(0)` */
  argmin(axis?: number, options?: ReduceOptions): Tensor<'int32'> {
    return reductions.argument('min', this, axis, options);
  }

  /** log(sum(exp(x))), without overflow. `x.logsumexp(-1)` */
  logsumexp(axes?: Axes, options?: ReduceOptions): Tensor<D> {
    return reductions.logsumexp(this, axes, options);
  }

  /** Euclidean length, sqrt(sum(x^2)); its gradient at zero is not finite. `x.norm(1, { keepAxes: true })` */
  norm(axes?: Axes, options?: ReduceOptions): Tensor<D> {
    return reductions.norm(this, axes, options);
  }

  /** Whether every bool holds. `x.less(1).all()` */
  all(axes?: Axes, options?: ReduceOptions): Tensor<'bool'> {
    return reductions.quantifier('min', this, axes, options);
  }

  /** Whether any bool holds. `x.isNaN().any()` */
  any(axes?: Axes, options?: ReduceOptions): Tensor<'bool'> {
    return reductions.quantifier('max', this, axes, options);
  }

  /** exp(x) / sum(exp(x)) along an axis, without overflow; NaN where all of a row is -Infinity. `logits.softmax()` */
  softmax(axis?: number): Tensor<D> {
    return reductions.softmax(this, axis);
  }

  /** Logarithm of the softmax, without overflow. `logits.logSoftmax()` */
  logSoftmax(axis?: number): Tensor<D> {
    return reductions.logSoftmax(this, axis);
  }

  /** Running sum along an axis. `tensor([1, 2, 3]).cumsum(0) // [1, 3, 6]` */
  cumsum(axis: number): Tensor<D> {
    return reductions.scan('sum', this, axis);
  }

  /** Running product along an axis; its gradient takes memory quadratic in the axis. `x.cumprod(0)` */
  cumprod(axis: number): Tensor<D> {
    return reductions.scan('prod', this, axis);
  }

  // Products

  /** Matrix product of the last two axes; vectors and batches as NumPy's `@`. `x.matmul(w.transpose())` */
  matmul(other: Tensor): Tensor<D> {
    return linear.matmul(this, other);
  }

  /** NumPy's `dot`: the last axis with the other's last but one (or only) axis. `a.dot(b)` */
  dot(other: Tensor): Tensor<D> {
    return linear.dot(this, other);
  }

  // Movement

  /** The same elements under another shape; one size may be -1. `x.reshape(2, -1)` or `x.reshape([2, -1])` */
  reshape(...sizes: number[] | [Shape]): Tensor<D> {
    return movement.reshape(this, spread(sizes));
  }

  /** Axis i of the result is axis `order[i]`. `x.permute(0, 2, 3, 1)` or with a list */
  permute(...order: number[] | [readonly number[]]): Tensor<D> {
    return movement.permute(this, spread(order));
  }

  /** Exchanges two axes, the last two unless told. `w.transpose()` */
  transpose(a = -2, b = -1): Tensor<D> {
    return movement.transpose(this, a, b);
  }

  /** Repeats axes of size 1; -1 keeps an axis. New axes come in front. `bias.expand([8, -1])` */
  expand(shape: Shape): Tensor<D> {
    return movement.expand(this, 'expand', shape);
  }

  /** Repeats axes of size 1 to `shape`; new axes come in front. `x.broadcastTo([8, 3])` */
  broadcastTo(shape: Shape): Tensor<D> {
    return movement.expand(this, 'broadcastTo', shape);
  }

  /** Drops axes of size 1: all of them, or the ones named, which must have it. `x.squeeze(0)` */
  squeeze(axes?: Axes): Tensor<D> {
    return movement.squeeze(this, axes);
  }

  /** A new axis of size 1 at `axis`. `x.unsqueeze(-1)` */
  unsqueeze(axis: number): Tensor<D> {
    return movement.unsqueeze(this, axis);
  }

  /** Adds elements before and after each axis, `[before, after]` for every axis. `x.pad([[0, 0], [1, 1]])` */
  pad(widths: readonly (readonly [before: number, after: number])[], value = 0): Tensor<D> {
    return movement.pad(this, widths, value);
  }

  /**
   * Part of each axis, one range an axis: `[start, end, step]` as in NumPy, or null for all of it; further axes stay
   * whole. `x.slice([1, 3], null, [null, null, -1])` is NumPy's `x[1:3, :, ::-1]`
   */
  slice(...ranges: readonly indexing.Range[]): Tensor<D> {
    return indexing.slice(this, ranges);
  }

  /** One index of an axis, which goes; negative ones count from the end. `x.at(-1)` */
  at(index: number, axis = 0): Tensor<D> {
    return indexing.at(this, index, axis);
  }

  /** Reverses axes, all unless told. `x.flip(-1)` */
  flip(axes?: Axes): Tensor<D> {
    return movement.flip(this, axes);
  }

  /**
   * Elements of `axis` at whole-number `indices` of any shape, which takes the axis' place; an index outside reads 0.
   * `embedding.gather(labels)` is `[N, E]` for labels `[N]`
   */
  gather(indices: Tensor, axis = 0): Tensor<D> {
    return indexing.gather(this, indices, axis);
  }

  /** For each position of `indices` (same rank, other axes broadcast) the element of `axis` it names. `p.takeAlongAxis(best, -1)` */
  takeAlongAxis(indices: Tensor, axis: number): Tensor<D> {
    return indexing.takeAlongAxis(this, indices, axis);
  }

  /**
   * Adds `updates` (as many as `indices` `[n]` along `axis`) at `indices`, in their order; an index outside is dropped.
   * `zeros([10]).scatterAdd(labels, ones([8]))` counts labels
   */
  scatterAdd(indices: Tensor, updates: Tensor, axis = 0): Tensor<D> {
    return indexing.scatterAdd(this, indices, updates, axis);
  }

  /** Lower triangle of the last two axes, from `diagonal` (0 is the main one) down. `ones([3, 3]).tril()` */
  tril(diagonal = 0): Tensor<D> {
    return indexing.triangle(this, 'lower', diagonal);
  }

  /** Upper triangle of the last two axes, from `diagonal` (0 is the main one) up. `ones([3, 3]).triu(1)` */
  triu(diagonal = 0): Tensor<D> {
    return indexing.triangle(this, 'upper', diagonal);
  }

  /** The same numbers in another dtype; reals become whole numbers towards zero, bools are 0 and 1. `x.cast('int32')` */
  cast<E extends DType>(dtype: E): Tensor<E> {
    checkDType('cast', dtype);
    return (this.dtype as DType) === dtype ? (this as unknown as Tensor<E>) : apply('cast', [this], {}, { dtype });
  }

  /** The same values, through which no gradient passes. `target.detach()` */
  detach(): Tensor<D> {
    return apply('detach', [this], {});
  }
}

function spread(sizes: readonly number[] | readonly [readonly number[]]): readonly number[] {
  return Array.isArray(sizes[0]) ? sizes[0] : (sizes as readonly number[]);
}
