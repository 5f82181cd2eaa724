import fc, { type Arbitrary } from 'fast-check';
import type { Op, ReduceKind } from '../../graph/node.ts';
import { type DType, isFloat } from '../../types/dtype.ts';
import { elementCount, type Shape } from '../../types/shape.ts';
import {
  axes,
  axisLists,
  convolutions,
  dtypes,
  permutations,
  type ShapeOptions,
  shapes,
  type TensorSpec,
  tensors,
  type ValueOptions,
} from '../arbitraries.ts';
import type { PrimitiveCase } from './case.ts';

type Cases = (op: Op, dtypes: readonly DType[]) => Arbitrary<PrimitiveCase>;

const floats = (all: readonly DType[]): DType[] => all.filter(isFloat);
const numbers = (all: readonly DType[]): DType[] => all.filter((dtype) => dtype !== 'bool');
const indexTypes = (all: readonly DType[]): DType[] => all.filter((dtype) => dtype === 'int32' || dtype === 'uint32');

/** Tensors of equal dtype and shape, then `attributes` from the shape. */
function onSame(
  count: number,
  among: (all: readonly DType[]) => readonly DType[],
  { values, shape }: { values?: ValueOptions; shape?: ShapeOptions } = {},
  rest: (shape: number[], dtype: DType) => Arbitrary<Partial<PrimitiveCase>> = () => fc.constant({}),
): Cases {
  return (op, all) =>
    fc
      .tuple(dtypes(among(all)), shapes(shape))
      .chain(([dtype, drawn]) =>
        fc
          .tuple(fc.tuple(...Array.from({ length: count }, () => tensors(dtype, drawn, values))), rest(drawn, dtype))
          .map(([sources, more]) => ({ op, sources, attributes: {}, ...more })),
      );
}

const anyNumbers = onSame(1, numbers);
const anyFloats = onSame(1, floats);
const boundedFloats = onSame(1, floats, { values: { low: -100, high: 100 } });
const anyPair = onSame(2, numbers);
const anything = (rest: (shape: number[], dtype: DType) => Arbitrary<Partial<PrimitiveCase>>, shape?: ShapeOptions) =>
  onSame(1, (all) => all, { shape: shape ?? {} }, rest);

/** `shape` split or merged anew: another shape of as many elements. */
function reshaped(shape: Shape): Arbitrary<number[]> {
  const count = elementCount(shape);
  if (count === 0) return fc.constantFrom([0], [2, 0], [0, 3, 1]);
  const divisors = Array.from({ length: count }, (_, i) => i + 1).filter((n) => count % n === 0);
  const two = fc.constantFrom(...divisors).map((n): number[] => [n, count / n]);
  return fc.oneof(
    two,
    fc.constant<number[]>([count]),
    fc.constant([...shape].reverse()),
    two.map(([a, b]) => [a as number, 1, b as number]),
  );
}

const reductions: Cases = (op, all) =>
  fc.constantFrom<ReduceKind[]>('sum', 'max', 'min', 'prod').chain((kind) => {
    const extremum = kind === 'max' || kind === 'min';
    const usable = extremum ? all : numbers(all);
    // Products of ordinary numbers leave the range soon; near one they say more.
    const values: ValueOptions = kind === 'prod' ? { low: 0.5, high: 2 } : {};
    return onSame(
      1,
      () => usable,
      { values, shape: { minSize: extremum ? 1 : 0, maxSize: 7 } },
      (shape) => axisLists(shape.length).map((list) => ({ attributes: { kind, axes: list } })),
    )(op, all);
  });

const scans: Cases = (op, all) =>
  fc
    .constantFrom<ReduceKind[]>('sum', 'max', 'min', 'prod')
    .chain((kind) =>
      onSame(
        1,
        numbers,
        { values: kind === 'prod' ? { low: 0.5, high: 2 } : {}, shape: { minRank: 1, maxSize: 7 } },
        (shape) =>
          fc.record({ axis: axes(shape.length), reverse: fc.boolean() }).map((a) => ({ attributes: { kind, ...a } })),
      )(op, all),
    );

const matmuls: Cases = (op, all) =>
  fc
    .tuple(
      dtypes(floats(all)),
      shapes({ maxRank: 2, maxSize: 3 }),
      fc.tuple(...[8, 9, 17].map((max) => fc.nat({ max }))),
    )
    .chain(([dtype, batch, [m, n, k]]) =>
      fc.tuple(
        tensors(dtype, [...batch, m as number, k as number], { special: false }),
        tensors(dtype, [...batch, k as number, n as number], { special: false }),
      ),
    )
    .map((sources) => ({ op, sources, attributes: {} }));

const convs: Cases = (op, all) =>
  fc
    .tuple(dtypes(floats(all)), convolutions())
    .chain(([dtype, { input, weight, attributes }]) =>
      fc
        .tuple(tensors(dtype, input, { special: false }), tensors(dtype, weight, { special: false }))
        .map((sources) => ({ op, sources, attributes })),
    );

/** Indices of which some are out of range. */
function indices(dtype: DType, shape: Shape, size: number): Arbitrary<TensorSpec> {
  return tensors(dtype, shape, { low: -2, high: size + 1 });
}

const gathers: Cases = (op, all) =>
  fc
    .tuple(dtypes(all), dtypes(indexTypes(all)), shapes({ minRank: 1, maxRank: 3 }), shapes({ maxRank: 2, maxSize: 3 }))
    .chain(([dtype, indexType, shape, picks]) =>
      axes(shape.length).chain((axis) =>
        fc
          .tuple(tensors(dtype, shape), indices(indexType, picks, shape[axis] as number))
          .map((sources) => ({ op, sources, attributes: { axis } })),
      ),
    );

const scatters: Cases = (op, all) =>
  fc
    .tuple(dtypes(numbers(all)), dtypes(indexTypes(all)), shapes({ minRank: 1, maxRank: 3 }), fc.nat({ max: 6 }))
    .chain(([dtype, indexType, shape, count]) =>
      axes(shape.length).chain((axis) =>
        fc
          .tuple(
            tensors(dtype, shape, { special: false }),
            indices(indexType, [count], shape[axis] as number),
            tensors(
              dtype,
              shape.map((size, i) => (i === axis ? count : size)),
            ),
          )
          .map((sources) => ({ op, sources, attributes: { axis } })),
      ),
    );

const concats: Cases = (op, all) =>
  fc
    .tuple(dtypes(all), shapes({ minRank: 1, maxRank: 3, maxElements: 40 }))
    .chain(([dtype, shape]) =>
      fc.tuple(
        fc.constant({ dtype, shape }),
        axes(shape.length),
        fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 }),
      ),
    )
    .chain(([{ dtype, shape }, axis, sizes]) =>
      fc
        .tuple(
          ...sizes.map((size) =>
            tensors(
              dtype,
              shape.map((n, i) => (i === axis ? size : n)),
            ),
          ),
        )
        .map((sources) => ({ op, sources, attributes: { axis } })),
    );

const amounts = (rank: number): Arbitrary<number[]> =>
  fc.array(fc.nat({ max: 2 }), { minLength: rank, maxLength: rank });

const slices: Cases = anything((shape) =>
  fc
    .tuple(
      ...shape.map((size) =>
        fc.tuple(
          fc.nat({ max: Math.max(size - 1, 0) }),
          fc.integer({ min: 1, max: 3 }),
          fc.double({ min: 0, max: 1, noNaN: true }),
        ),
      ),
    )
    .map((parts) => ({
      attributes: { start: parts.map(([start]) => start), step: parts.map(([, step]) => step) },
      shape: parts.map(([start, step, share], axis) =>
        Math.round(share * Math.ceil(((shape[axis] as number) - start) / step)),
      ),
    })),
);

const scalars: Cases = (op, all) =>
  fc
    .tuple(dtypes(all), fc.boolean())
    .chain(([dtype, structural]) =>
      tensors(dtype, []).map(({ values: [value] }) => ({ op, sources: [], attributes: { value, structural }, dtype })),
    );

/**
 * Drawn cases of every primitive. `undefined` where a case needs more than a node: cells, arguments and host steps have
 * cases of their own, and buffers are in every other one.
 */
export const primitiveCases = {
  constant: scalars,
  buffer: undefined,
  cell: undefined,
  argument: undefined,
  host: undefined,
  iota: (op) =>
    shapes({ minRank: 1 }).chain((shape) =>
      axes(shape.length).map((axis) => ({ op, sources: [], attributes: { axis }, shape })),
    ),
  randomBits: (op) =>
    fc
      .tuple(shapes(), fc.tuple(...[0, 1, 2].map(() => tensors('uint32', []))))
      .map(([shape, sources]) => ({ op, sources, attributes: {}, shape })),
  neg: anyNumbers,
  abs: anyNumbers,
  sign: anyNumbers,
  floor: anyFloats,
  ceil: anyFloats,
  round: anyFloats,
  exp: boundedFloats,
  log: boundedFloats,
  sqrt: boundedFloats,
  sin: boundedFloats,
  cos: boundedFloats,
  tanh: boundedFloats,
  erf: anyFloats,
  sigmoid: boundedFloats,
  not: onSame(1, () => ['bool']),
  add: anyPair,
  sub: anyPair,
  mul: anyPair,
  div: onSame(2, floats),
  floorDiv: anyPair,
  mod: anyPair,
  pow: onSame(2, floats),
  max: onSame(2, (all) => all),
  min: onSame(2, (all) => all),
  equal: onSame(2, (all) => all, { values: { low: -2, high: 2 } }),
  notEqual: onSame(2, (all) => all, { values: { low: -2, high: 2 } }),
  less: onSame(2, (all) => all, { values: { low: -2, high: 2 } }),
  lessEqual: onSame(2, (all) => all, { values: { low: -2, high: 2 } }),
  where: (op, all) =>
    fc
      .tuple(dtypes(all), shapes())
      .chain(([dtype, shape]) => fc.tuple(tensors('bool', shape), tensors(dtype, shape), tensors(dtype, shape)))
      .map((sources) => ({ op, sources, attributes: {} })),
  cast: (op, all) =>
    onSame(
      1,
      () => all,
      {},
      () => dtypes(all).map((dtype) => ({ dtype })),
    )(op, all),
  reduce: reductions,
  scan: scans,
  reshape: anything((shape) => reshaped(shape).map((wanted) => ({ shape: wanted }))),
  permute: anything((shape) => permutations(shape.length).map((order) => ({ attributes: { order } }))),
  expand: (op, all) =>
    fc.tuple(dtypes(all), shapes({ maxElements: 80 })).chain(([dtype, shape]) =>
      axisLists(shape.length).chain((ones) =>
        tensors(
          dtype,
          shape.map((size, axis) => (ones.includes(axis) ? 1 : size)),
        ).map((x) => ({ op, sources: [x], attributes: {}, shape })),
      ),
    ),
  pad: anything(
    (shape, dtype) =>
      fc.tuple(amounts(shape.length), amounts(shape.length), tensors(dtype, [])).map(
        ([
          low,
          high,
          {
            values: [value],
          },
        ]) => ({ attributes: { low, high, value } }),
      ),
    { maxElements: 24 },
  ),
  slice: slices,
  flip: anything((shape) => axisLists(shape.length).map((list) => ({ attributes: { axes: list } }))),
  concat: concats,
  matmul: matmuls,
  conv: convs,
  gather: gathers,
  scatterAdd: scatters,
  detach: anything(() => fc.constant({})),
  barrier: anything(() => fc.constant({})),
  custom: anything(() => fc.constant({ attributes: { name: 'identity', rule: undefined } })),
} satisfies { [O in Op]: Cases | undefined };
