import { hostLeaf } from '../runtime/storage.ts';
import { checkDType, type DType } from '../types/dtype.ts';
import { elementCount, type Shape, showShape } from '../types/shape.ts';
import { apply, broadcast, checkNumber, filled, scalar } from './apply.ts';
import {
  fromNdarray,
  fromNested,
  fromTypedArray,
  isNdarray,
  isTypedArray,
  type NdArrayInput,
  type NestedInput,
  type NestedNumbers,
  type TypedArray,
  tabulate,
} from './interop.ts';
import { Tensor } from './tensor.ts';

/** The dtype of what is created. */
export interface DTypeOption<D extends DType> {
  /** Default float32. */
  readonly dtype?: D;
}

/** Dtype and shape of a tensor made from host values. */
export interface TensorOptions<D extends DType> {
  /** Default: what the values are held in; float32 for plain numbers, bool for booleans. */
  readonly dtype?: D;
  /** Default: the arrays' own shape. */
  readonly shape?: Shape;
}

function checkForm(where: string, shape: Shape, dtype: DType = 'float32'): void {
  checkDType(where, dtype);
  if (!Array.isArray(shape) || shape.some((size) => !Number.isInteger(size) || size < 0)) {
    throw new Error(
      `${where}: a shape is a list of whole numbers of at least 0, got ${Array.isArray(shape) ? showShape(shape) : String(shape)}`,
    );
  }
}

/**
 * A tensor of given values: a number, nested arrays, a typed array, or an `ndarray` (strides and offset included).
 * Values are copied.
 *
 * @throws when arrays are ragged, values do not fill `shape`, or a whole-number dtype gets a broken number.
 * @example
 * tensor([[1, 2, 3], [4, 5, 6]]); // [2, 3]
 * tensor(new Float64Array(6), { shape: [2, 3] }); // [2, 3]
 */
export function tensor(data: NestedNumbers, options?: { readonly shape?: Shape }): Tensor<'float32'>;
export function tensor(data: Float64Array, options?: { readonly shape?: Shape }): Tensor<'float64'>;
export function tensor(data: Int32Array, options?: { readonly shape?: Shape }): Tensor<'int32'>;
export function tensor(data: Float32Array, options?: { readonly shape?: Shape }): Tensor<'float32'>;
export function tensor<D extends DType>(
  data: NestedInput | TypedArray | NdArrayInput,
  options: TensorOptions<D> & { readonly dtype: D },
): Tensor<D>;
export function tensor(data: NestedInput | TypedArray | NdArrayInput, options?: TensorOptions<DType>): Tensor;
export function tensor(data: NestedInput | TypedArray | NdArrayInput, options: TensorOptions<DType> = {}): Tensor {
  const { dtype, shape } = options;
  checkForm('tensor', shape ?? [], dtype);
  if (typeof data === 'number') return broadcastScalar(scalar('tensor', data, dtype ?? 'float32'), shape);
  if (isTypedArray(data)) return leaf(fromTypedArray(data, shape, dtype));
  if (typeof data === 'object' && data !== null && isNdarray(data)) {
    const made = leaf(fromNdarray(data, dtype));
    return shape ? made.reshape(shape) : made;
  }
  if (typeof data !== 'boolean' && !Array.isArray(data)) {
    throw new Error(`tensor: needs numbers, nested arrays, a typed array or an ndarray, got ${String(data)}`);
  }
  return leaf(fromNested(data, shape, dtype));
}

function leaf({ values, shape, dtype }: ReturnType<typeof fromNested>): Tensor {
  return new Tensor(hostLeaf(values, shape, dtype));
}

function broadcastScalar<D extends DType>(value: Tensor<D>, shape: Shape | undefined): Tensor<D> {
  if (shape === undefined || elementCount(shape) === 1) return shape ? value.reshape(shape) : value;
  throw new Error(`tensor: one value does not fill shape ${showShape(shape)}. Use full`);
}

/**
 * Zeros.
 *
 * @example
 * zeros([2, 3]); // [[0, 0, 0], [0, 0, 0]]
 */
export function zeros<D extends DType = 'float32'>(shape: Shape, options: DTypeOption<D> = {}): Tensor<D> {
  checkForm('zeros', shape, options.dtype);
  return filled(shape, 0, options.dtype ?? ('float32' as D));
}

/**
 * Ones.
 *
 * @example
 * ones([2], { dtype: 'int32' }); // [1, 1]
 */
export function ones<D extends DType = 'float32'>(shape: Shape, options: DTypeOption<D> = {}): Tensor<D> {
  checkForm('ones', shape, options.dtype);
  return filled(shape, 1, options.dtype ?? ('float32' as D));
}

/**
 * One value everywhere.
 *
 * @example
 * full([2, 2], 0.5); // [[0.5, 0.5], [0.5, 0.5]]
 */
export function full<D extends DType = 'float32'>(
  shape: Shape,
  value: number,
  options: DTypeOption<D> = {},
): Tensor<D> {
  checkForm('full', shape, options.dtype);
  return broadcast(scalar('full', value, options.dtype ?? ('float32' as D)), shape);
}

/**
 * Zeros of another tensor's shape and dtype.
 *
 * @example
 * zerosLike(tensor([[1, 2]])); // [[0, 0]]
 */
export function zerosLike<D extends DType>(x: Tensor<D>): Tensor<D> {
  return filled(x.shape, 0, x.dtype);
}

/**
 * Ones of another tensor's shape and dtype.
 *
 * @example
 * onesLike(tensor([[1, 2]])); // [[1, 1]]
 */
export function onesLike<D extends DType>(x: Tensor<D>): Tensor<D> {
  return filled(x.shape, 1, x.dtype);
}

/**
 * Numbers from `start` up (or down) to `stop`, without it, as `[n]`; one argument is the stop. Whole numbers give int32
 * unless told otherwise.
 *
 * @throws when a step is 0.
 * @example
 * arange(3); // [0, 1, 2]
 * arange(0, 1, 0.25, { dtype: 'float64' }); // [0, 0.25, 0.5, 0.75]
 */
export function arange<D extends DType>(
  start: number,
  stop: number,
  step: number,
  options: { readonly dtype: D },
): Tensor<D>;
export function arange(start: number, stop?: number, step?: number): Tensor;
export function arange(start: number, stop?: number, step = 1, options: { readonly dtype?: DType } = {}): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (step === 0 || ![from, to, step].every(Number.isFinite)) {
    throw new Error(`arange: needs finite numbers and a step other than 0, got ${from}, ${to}, ${step}`);
  }
  const whole = [from, to, step].every(Number.isInteger);
  const dtype = options.dtype ?? (whole ? 'int32' : 'float32');
  const length = Math.max(0, Math.ceil((to - from) / step));
  checkForm('arange', [length], dtype);
  const ends = length === 0 ? [] : [from, from + (length - 1) * step];
  if (whole) for (const end of ends) checkNumber('arange', end, dtype, 'Choose another dtype');
  if (!whole || ![step, ...ends].every(isInt32)) {
    return new Tensor(hostLeaf(tabulate(dtype, length, (i) => from + i * step), [length], dtype)); // biome-ignore format: one call
  }
  const counted = apply<'iota', 'int32'>('iota', [], { axis: 0 }, { shape: [length] });
  return counted.mul(step).add(from).cast(dtype);
}

const isInt32 = (value: number): boolean => (value | 0) === value;

/**
 * `count` numbers at equal distances from `start` to `stop`, both included, as `[count]`.
 *
 * @example
 * linspace(0, 1, 5); // [0, 0.25, 0.5, 0.75, 1]
 */
export function linspace<D extends DType = 'float32'>(
  start: number,
  stop: number,
  count: number,
  options: DTypeOption<D> = {},
): Tensor<D> {
  const dtype = options.dtype ?? ('float32' as D);
  checkForm('linspace', [count], dtype);
  const step = (stop - start) / (count - 1);
  const entry = (i: number) => (i === count - 1 && count > 1 ? stop : i === 0 ? start : start + i * step);
  return new Tensor(hostLeaf(tabulate(dtype, count, entry), [count], dtype));
}

/**
 * Ones on the diagonal of `[rows, columns]`, a square unless told, zeros elsewhere.
 *
 * @example
 * eye(2); // [[1, 0], [0, 1]]
 */
export function eye<D extends DType = 'float32'>(
  rows: number,
  columns: number = rows,
  options: DTypeOption<D> = {},
): Tensor<D> {
  const shape = [rows, columns];
  checkForm('eye', shape, options.dtype);
  const [row, column] = [0, 1].map((axis) => apply<'iota', 'int32'>('iota', [], { axis }, { shape }));
  return (row as Tensor).equal(column as Tensor).cast(options.dtype ?? ('float32' as D));
}
