import fc, { type Arbitrary } from 'fast-check';
import type { ConvAttributes } from '../graph/node.ts';
import { convOutputSizes } from '../graph/primitives.ts';
import type { DType } from '../types/dtype.ts';
import { elementCount, type Shape } from '../types/shape.ts';

/** What {@link shapes} may draw. */
export interface ShapeOptions {
  /** Fewest axes; 0 unless told, a scalar. */
  readonly minRank?: number;
  /** Most axes; 4 unless told. */
  readonly maxRank?: number;
  /** Smallest size of an axis; 0 unless told, an empty tensor. */
  readonly minSize?: number;
  /** Largest size of an axis; 5 unless told. */
  readonly maxSize?: number;
  /** Most elements; 160 unless told. */
  readonly maxElements?: number;
}

/**
 * Shapes, among them scalars, empty axes and axes of size 1.
 *
 * @example
 * import fc from 'fast-check';
 *
 * fc.assert(fc.property(shapes({ maxRank: 3 }), (shape) => zeros(shape).sum().rank === 0));
 */
export function shapes(options: ShapeOptions = {}): Arbitrary<number[]> {
  const { minRank = 0, maxRank = 4, minSize = 0, maxSize = 5, maxElements = 160 } = options;
  const size = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: Math.max(minSize, 1), max: maxSize }) },
    { weight: minSize > 0 ? 0 : 1, arbitrary: fc.constant(0) },
    { weight: minSize > 1 ? 0 : 2, arbitrary: fc.constant(1) },
  );
  return fc
    .array(size, { minLength: minRank, maxLength: maxRank })
    .map((shape) =>
      shape.map((n, axis) => (elementCount(shape.slice(0, axis + 1)) > maxElements ? Math.min(n, 1) : n)),
    );
}

/**
 * Shapes of which every one broadcasts to their common shape: axes of size 1 and missing leading axes.
 *
 * @example
 * import fc from 'fast-check';
 *
 * fc.assert(fc.property(broadcastableShapes(2), ([a = [], b = []]) => zeros(a).add(zeros(b)).size >= 0));
 */
export function broadcastableShapes(count: number, options: ShapeOptions = {}): Arbitrary<number[][]> {
  return shapes(options).chain((shape) =>
    fc
      .array(fc.tuple(fc.nat({ max: shape.length }), fc.array(fc.boolean(), { minLength: 8, maxLength: 8 })), {
        minLength: count,
        maxLength: count,
      })
      .map((choices) =>
        choices.map(([skip, ones]) =>
          shape.map((size, axis) => (ones[axis] ? 1 : size)).slice(Math.min(skip, shape.length)),
        ),
      ),
  );
}

/**
 * Every dtype, or those of `among`.
 *
 * @example
 * import fc from 'fast-check';
 *
 * fc.assert(fc.property(dtypes(), (dtype) => zeros([2], { dtype }).dtype === dtype));
 */
export function dtypes(among: readonly DType[] = ['float32', 'float64', 'int32', 'uint32', 'bool']): Arbitrary<DType> {
  return fc.constantFrom(...among);
}

/** Which numbers {@link values} may draw. */
export interface ValueOptions {
  /** Bounds of the ordinary numbers; -8 and 8 unless told. */
  readonly low?: number;
  readonly high?: number;
  /** Whether NaN, infinities, -0, subnormals, and the largest numbers occur too; true unless told. */
  readonly special?: boolean;
}

const specialFloats = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, 1, -1, 0.5, 2.5, -1.5];
const smallest = { float32: 2 ** -149, float64: Number.MIN_VALUE, float16: 2 ** -24 } as const;
const largest = { float32: (2 - 2 ** -23) * 2 ** 127, float64: Number.MAX_VALUE, float16: 65504 } as const;
const specialIntegers = { int32: [-(2 ** 31), 2 ** 31 - 1, -1, 0, 1], uint32: [0, 1, 2 ** 31, 2 ** 32 - 1] } as const;

/**
 * One number that `dtype` can hold.
 *
 * @example
 * import fc from 'fast-check';
 *
 * fc.assert(fc.property(values('float32'), (value) => Object.is(Math.fround(value), value)));
 */
export function values(dtype: DType, options: ValueOptions = {}): Arbitrary<number> {
  const { low = -8, high = 8, special = true } = options;
  if (dtype === 'bool') return fc.integer({ min: 0, max: 1 });
  if (dtype === 'int32' || dtype === 'uint32') {
    const min = Math.ceil(dtype === 'uint32' ? Math.max(low, 0) : low);
    const ordinary = fc.integer({ min, max: Math.max(min, Math.floor(high)) });
    return special
      ? fc.oneof({ weight: 6, arbitrary: ordinary }, fc.constantFrom(...specialIntegers[dtype]))
      : ordinary;
  }
  const options32 = { noNaN: true, noDefaultInfinity: true, min: Math.fround(low), max: Math.fround(high) };
  const whole = fc.integer({ min: Math.ceil(low), max: Math.floor(high) });
  const real = dtype === 'float64' ? fc.double(options32) : fc.float(options32);
  const ordinary = Math.ceil(low) > Math.floor(high) ? real : fc.oneof({ weight: 4, arbitrary: real }, whole);
  if (!special) return ordinary;
  const edges = [...specialFloats, smallest[dtype], -1000 * smallest[dtype], largest[dtype], -largest[dtype]];
  return fc.oneof({ weight: 6, arbitrary: ordinary }, fc.constantFrom(...edges));
}

/** A tensor in plain data, so that a failing case prints whole. */
export interface TensorSpec {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly values: readonly number[];
}

/**
 * A tensor of this dtype and shape.
 *
 * @example
 * import fc from 'fast-check';
 *
 * fc.assert(fc.property(tensors('int32', [2, 3]), ({ shape, values }) => tensor([...values], { shape }).rank === 2));
 */
export function tensors(dtype: DType, shape: Shape, options: ValueOptions = {}): Arbitrary<TensorSpec> {
  const count = elementCount(shape);
  return fc
    .array(values(dtype, options), { minLength: count, maxLength: count })
    .map((drawn) => ({ dtype, shape, values: drawn }));
}

/**
 * An axis of a shape of this rank.
 *
 * @example
 * import fc from 'fast-check';
 *
 * fc.assert(fc.property(axes(3), (axis) => zeros([2, 2, 2]).sum(axis).rank === 2));
 */
export function axes(rank: number): Arbitrary<number> {
  return fc.nat({ max: rank - 1 });
}

/**
 * Some of a rank's axes, in increasing order; perhaps none.
 *
 * @example
 * import fc from 'fast-check';
 *
 * fc.assert(fc.property(axisLists(3), (axes) => zeros([2, 2, 2]).sum(axes).rank === 3 - axes.length));
 */
export function axisLists(rank: number): Arbitrary<number[]> {
  return fc.subarray(Array.from({ length: rank }, (_, axis) => axis));
}

/**
 * An order of a rank's axes.
 *
 * @example
 * import fc from 'fast-check';
 *
 * fc.assert(fc.property(permutations(3), (order) => zeros([1, 2, 3]).permute(order).size === 6));
 */
export function permutations(rank: number): Arbitrary<number[]> {
  const order = Array.from({ length: rank }, (_, axis) => axis);
  return fc.shuffledSubarray(order, { minLength: rank, maxLength: rank });
}

/** Sizes and attributes of a convolution. */
export interface ConvSpec {
  /** `[N, C, ...spatial]` */
  readonly input: Shape;
  /** `[O, C / groups, ...kernel]` */
  readonly weight: Shape;
  readonly attributes: ConvAttributes;
}

/**
 * Convolutions over one or two spatial axes: strides, asymmetric and negative padding, both dilations, groups.
 *
 * @example
 * import fc from 'fast-check';
 *
 * fc.assert(fc.property(convolutions(), ({ input, weight, attributes }) => input[1] === weight[1]! * attributes.groups));
 */
export function convolutions(): Arbitrary<ConvSpec> {
  const perAxis = fc.record({
    size: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1, max: 6 }) }, fc.constant(0)),
    kernel: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
    padding: fc.tuple(fc.integer({ min: -1, max: 3 }), fc.integer({ min: -1, max: 3 })),
    dilation: fc.integer({ min: 1, max: 2 }),
    inputDilation: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 3 })),
  });
  const channels = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.constant(8));
  return fc
    .record({
      spatial: fc.array(perAxis, { minLength: 1, maxLength: 2 }),
      batch: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1, max: 2 }) }, fc.constant(0)),
      groups: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 3 })),
      inChannels: channels,
      outChannels: channels,
      role: fc.constantFrom('forward', 'inputGradient', 'weightGradient'),
    })
    .map(({ spatial, batch, groups, inChannels, outChannels, role }) => ({
      input: [batch, inChannels * groups, ...spatial.map(({ size }) => size)],
      weight: [outChannels * groups, inChannels, ...spatial.map(({ kernel }) => kernel)],
      attributes: {
        stride: spatial.map(({ stride }) => stride),
        padding: spatial.map(({ padding }) => padding),
        dilation: spatial.map(({ dilation }) => dilation),
        inputDilation: spatial.map(({ inputDilation }) => inputDilation),
        groups,
        role,
      } satisfies ConvAttributes,
    }))
    .filter(
      ({ input, weight, attributes }) =>
        elementCount(convOutputSizes(input.slice(2), weight.slice(2), attributes)) * (weight[0] as number) <= 2000,
    );
}
