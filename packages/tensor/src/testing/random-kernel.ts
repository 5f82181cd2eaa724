import fc from 'fast-check';
import type { Contraction, Expr, Guard, Index, Operand, RowKernel, Stage } from '../kernel/ir.ts';
import type { DType, HostArray } from '../types/dtype.ts';
import {
  accumulator,
  axis,
  binary,
  cast,
  compare,
  input,
  inside,
  load,
  mod,
  output,
  plus,
  rowMajor,
  someValues,
  stage,
  times,
  unary,
} from './kernel-parts.ts';

/** A kernel and what it is run on: exact values are whole numbers, so every correct backend gives the same bits. */
export interface KernelCase<K extends RowKernel | Contraction = RowKernel | Contraction> {
  readonly kernel: K;
  /** By operand; what outputs hold before is of no account. */
  readonly operands: readonly HostArray[];
  /** Launch arguments. */
  readonly given: readonly number[];
}

/** How large random kernels are. */
export interface KernelSizes {
  /** Sizes of axes. @defaultValue 1 to 4 */
  readonly sizes?: readonly number[];
  /** Most elements of all axes together. @defaultValue 256 */
  readonly elements?: number;
}

const LENGTH = 11;
const operandTypes = ['float32', 'int32', 'uint32', 'bool', 'float64', 'float16'] as const;
type Type = (typeof operandTypes)[number];
const computed = ['float32', 'float64', 'int32', 'uint32', 'bool'] as const;
type Computed = (typeof computed)[number];

/** Trees over axes 0 ... count - 1, of whole-number arithmetic and loads from the int32 operand. */
function anyIndex(count: number): fc.Arbitrary<Index> {
  const { index } = fc.letrec<{ index: Index; leaf: Index; node: Index }>((tie) => ({
    leaf: fc.oneof(
      fc.record({ kind: fc.constant('axis' as const), axis: fc.nat(count - 1) }),
      fc.record({ kind: fc.constant('literal' as const), value: fc.integer({ min: -9, max: 9 }) }),
    ),
    node: fc.oneof(
      fc.record({ kind: fc.constant('add' as const), left: tie('index'), right: tie('index') }),
      fc.record({ kind: fc.constant('mul' as const), left: tie('index'), by: fc.integer({ min: -4, max: 4 }) }),
      fc.record({
        kind: fc.constantFrom('floorDiv' as const, 'mod' as const),
        left: tie('index'),
        by: fc.integer({ min: 1, max: 8 }),
      }),
      tie('index').map((index) => {
        const inner = mod(index, LENGTH);
        return {
          kind: 'load',
          operand: operandTypes.indexOf('int32'),
          index: inner,
          guards: [inside(inner, 1, 9)],
        } as const;
      }),
    ),
    index: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('leaf'), tie('node')),
  }));
  return index;
}

function anyGuard(count: number): fc.Arbitrary<Guard> {
  return fc.oneof(
    fc.record({
      kind: fc.constant('range' as const),
      index: anyIndex(count),
      from: fc.integer({ min: -4, max: 2 }),
      to: fc.integer({ min: 0, max: 9 }),
    }),
    fc.record({ kind: fc.constant('multiple' as const), index: anyIndex(count), of: fc.integer({ min: 1, max: 4 }) }),
  );
}

/** What random expressions refer to. */
interface Scene {
  readonly axes: number;
  readonly stages?: readonly { readonly number: number; readonly dtype: DType }[];
  /** Indices at which operands that are as large as the loops may be read. */
  readonly whole?: readonly Index[];
  /** Whether float64 takes part. */
  readonly doubles?: boolean;
}

/** Expressions whose exact value is a whole number of moderate size: every correct evaluation gives the same bits. */
function anyExpr({ axes, stages = [], whole = [], doubles = true }: Scene): Record<Computed, fc.Arbitrary<Expr>> {
  const guards = fc.array(anyGuard(axes), { maxLength: 2 });
  const loadOf = (dtype: Type): fc.Arbitrary<Expr> => {
    return fc.record({ index: anyIndex(axes), guards, bare: fc.boolean() }).map(({ index, guards: some, bare }) => {
      // Outside is read only behind a guard.
      const position = bare ? mod(index, LENGTH) : index;
      return load(operandTypes.indexOf(dtype), position, dtype, bare ? some : [...some, inside(index, 0, LENGTH)]);
    });
  };
  const wholeOf = (dtype: Type): fc.Arbitrary<Expr>[] => {
    return whole.map((index) => fc.constant(load(operandTypes.length + operandTypes.indexOf(dtype), index, dtype)));
  };
  const literalOf = (dtype: DType, min: number): fc.Arbitrary<Expr> => {
    return fc.integer({ min, max: 3 }).map((value) => ({ kind: 'literal', dtype, value }));
  };
  const stagesOf = (dtype: DType): fc.Arbitrary<Expr>[] => {
    return stages.filter((s) => s.dtype === dtype).map(({ number }) => fc.constant(stage(number, dtype)));
  };
  const chosen = (dtype: DType, condition: fc.Arbitrary<Expr>, value: fc.Arbitrary<Expr>): fc.Arbitrary<Expr> => {
    return fc.oneof(
      fc.record({
        kind: fc.constant('where' as const),
        dtype: fc.constant(dtype),
        condition,
        then: value,
        otherwise: value,
      }),
      fc.record({
        kind: fc.constant('guard' as const),
        dtype: fc.constant(dtype),
        guards,
        then: value,
        otherwise: value,
      }),
    );
  };
  type Trees = Record<Computed, Expr>;
  const wide = doubles ? 'float64' : 'int32';
  const depth = { depthSize: 'small', withCrossShrink: true } as const;
  /** What both kinds of floats are made of; `jump` is how they become whole, `others` what is cast to them. */
  const floating = (
    dtype: 'float32' | 'float64',
    tie: fc.LetrecTypedTie<Trees>,
    jump: 'floor' | 'ceil',
    others: readonly fc.Arbitrary<Expr>[],
  ): fc.Arbitrary<Expr>[] => [
    fc.oneof(loadOf(dtype), literalOf(dtype, -3), ...wholeOf(dtype), ...stagesOf(dtype)),
    fc
      .tuple(
        fc.constantFrom('add' as const, 'sub' as const, 'mul' as const, 'max' as const, 'min' as const),
        tie(dtype),
        tie(dtype),
      )
      .map(([op, a, b]) => binary(op, a, b)),
    fc
      .tuple(fc.constantFrom('neg' as const, 'abs' as const, 'sign' as const, jump), tie(dtype))
      .map(([op, a]) => unary(op, a)),
    fc.oneof(...others).map((a) => cast(dtype, a)),
    chosen(dtype, tie('bool'), tie(dtype)),
  ];
  const trees = fc.letrec<Trees>((tie) => ({
    float32: fc.oneof(
      depth,
      ...floating('float32', tie, 'floor', [
        tie('int32'),
        tie('bool'),
        tie(wide),
        loadOf('float16'),
        ...wholeOf('float16'),
      ]),
      // Shared: one object used twice.
      tie('float32').map((shared) => binary('add', shared, unary('neg', shared))),
      fc.nat(1).map((argument) => ({ kind: 'argument', dtype: 'float32', argument }) as const),
    ),
    float64: fc.oneof(
      depth,
      ...floating('float64', tie, 'ceil', [tie('float32'), tie('int32'), tie('uint32'), tie('bool')]),
    ),
    int32: fc.oneof(
      depth,
      fc.oneof(loadOf('int32'), literalOf('int32', -3), ...wholeOf('int32'), ...stagesOf('int32')),
      fc
        .tuple(
          fc.constantFrom(
            'add' as const,
            'sub' as const,
            'mul' as const,
            'floorDiv' as const,
            'mod' as const,
            'max' as const,
          ),
          tie('int32'),
          tie('int32'),
        )
        .map(([op, a, b]) => binary(op, a, b)),
      fc
        .tuple(fc.constantFrom('neg' as const, 'abs' as const, 'sign' as const), tie('int32'))
        .map(([op, a]) => unary(op, a)),
      anyIndex(axes).map((index) => ({ kind: 'index', dtype: 'int32', index }) as const),
      fc.oneof(tie('float32'), tie(wide), tie('uint32'), tie('bool')).map((a) => cast('int32', a)),
      chosen('int32', tie('bool'), tie('int32')),
    ),
    uint32: fc.oneof(
      depth,
      fc.oneof(loadOf('uint32'), literalOf('uint32', 0), ...wholeOf('uint32'), ...stagesOf('uint32')),
      fc
        .tuple(
          fc.constantFrom('add' as const, 'sub' as const, 'mul' as const, 'mod' as const, 'min' as const),
          tie('uint32'),
          tie('uint32'),
        )
        .map(([op, a, b]) => binary(op, a, b)),
      fc
        .tuple(tie('uint32'), tie('uint32'), tie('uint32'), tie('uint32'))
        .map(([key0, key1, element, stream]): Expr => {
          const bits = { kind: 'random', dtype: 'uint32', key: [key0, key1], element, stream } as const;
          return binary('mod', bits, { kind: 'literal', dtype: 'uint32', value: 7 });
        }),
      fc.oneof(tie('float32'), tie(wide), tie('int32')).map((a) => cast('uint32', a)),
    ),
    bool: fc.oneof(
      depth,
      fc.oneof(loadOf('bool'), literalOf('bool', 0), ...wholeOf('bool'), ...stagesOf('bool')),
      fc
        .tuple(
          fc.constantFrom('equal' as const, 'notEqual' as const, 'less' as const, 'lessEqual' as const),
          fc.oneof(
            fc.tuple(tie('float32'), tie('float32')),
            fc.tuple(tie(wide), tie(wide)),
            fc.tuple(tie('int32'), tie('int32')),
            fc.tuple(tie('bool'), tie('bool')),
          ),
        )
        .map(([op, [a, b]]) => compare(op, a, b)),
      fc
        .tuple(fc.constantFrom('max' as const, 'min' as const), tie('bool'), tie('bool'))
        .map(([op, a, b]) => binary(op, a, b)),
      tie('bool').map((a) => unary('not', a)),
      fc.oneof(tie('float32'), tie(wide), tie('uint32')).map((a) => cast('bool', a)),
      chosen('bool', tie('bool'), tie('bool')),
    ),
  }));
  return trees;
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);
const given = [3, -2];

/** Inputs of every dtype: small ones that are read anywhere, and some with an element for each turn of the loops. */
function inputsOf(count: number): { operands: Operand[]; values: HostArray[] } {
  const operands = [...operandTypes, ...operandTypes].map((dtype) => input(dtype));
  const values = operands.map(({ dtype }, i) => someValues(dtype, i < operandTypes.length ? LENGTH : count, i + 1));
  return { operands, values };
}

/** Row-major indices over all axes, as they stand and with the first axis innermost. */
function wholeIndices(sizes: readonly number[]): Index[] {
  const [first = 1, ...others] = sizes;
  const turned = others.reduce((sum: Index, size, i) => plus(times(sum, size), axis(i + 1)), {
    kind: 'literal',
    value: 0,
  });
  return sizes.length === 0 ? [] : [rowMajor(sizes), plus(times(turned, first), axis(0))];
}

function axisLists({ sizes = [1, 2, 3, 4] }: KernelSizes, minLength: number, maxLength: number) {
  return fc.array(fc.constantFrom(...sizes), { minLength, maxLength });
}

/**
 * Elementwise kernels with stores of some of the dtypes that are computed in; float64 takes part where it is stored.
 *
 * @example
 * import fc from 'fast-check';
 *
 * const property = fc.property(elementwiseKernels({ elements: 16 }), ({ kernel }) => flopsOf(kernel) >= 0);
 * fc.assert(property, { numRuns: 10 });
 */
export function elementwiseKernels(options: KernelSizes = {}): fc.Arbitrary<KernelCase<RowKernel>> {
  const { elements = 256 } = options;
  return axisLists(options, 1, 3)
    .filter((outer) => product(outer) > 0 && product(outer) <= elements)
    .chain((outer) => {
      const stores = fc.subarray([...computed], { minLength: 1 }).chain((dtypes) => {
        const doubles = dtypes.includes('float64');
        const trees = anyExpr({ axes: outer.length, whole: wholeIndices(outer), doubles });
        return fc.tuple(...dtypes.map((dtype) => trees[dtype]));
      });
      return stores.map((stored) => {
        const count = product(outer);
        const { operands, values } = inputsOf(count);
        const index = rowMajor(outer);
        const stages = stored.map((value, i): Stage => {
          return { kind: 'store', domain: 'row', store: { operand: operands.length + i, index, value } };
        });
        const outputs = stored.map(({ dtype }) => output(dtype));
        return {
          kernel: {
            kind: 'row',
            operands: [...operands, ...outputs],
            arguments: ['float32', 'float32'],
            outer,
            inner: [],
            stages,
          },
          operands: [...values, ...stored.map(({ dtype }) => someValues(dtype, count))],
          given,
        };
      });
    });
}

/**
 * Rows of maps, reductions and scans, each stored at every element, combined with all that came before it.
 *
 * @example
 * import fc from 'fast-check';
 *
 * const property = fc.property(rowKernels({ elements: 16 }), ({ kernel }) => planRow(kernel).passes.length > 0);
 * fc.assert(property, { numRuns: 10 });
 */
export function rowKernels(options: KernelSizes = {}): fc.Arbitrary<KernelCase<RowKernel>> {
  const { elements = 256 } = options;
  const drafts = fc.array(
    fc.record({
      kind: fc.constantFrom('map' as const, 'reduce' as const, 'scan' as const),
      op: fc.constantFrom('sum' as const, 'max' as const, 'min' as const),
      reverse: fc.boolean(),
      dtype: fc.constantFrom('float32' as const, 'float32' as const, 'int32' as const, 'float64' as const),
      seed: fc.nat(),
    }),
    { minLength: 1, maxLength: 4 },
  );
  return fc
    .tuple(
      axisLists(options, 1, 2),
      axisLists({ ...options, sizes: [...(options.sizes ?? [1, 2, 3, 4])] }, 1, 2),
      drafts,
    )
    .filter(([outer, inner]) => product(outer) > 0 && product(outer) * product(inner) <= elements)
    .map(([outer, inner, list]) => {
      const all = [...outer, ...inner];
      const count = product(all);
      const { operands, values } = inputsOf(count);
      const stages: Stage[] = [];
      const known: { number: number; dtype: DType }[] = [];
      const doubles = list.some(({ dtype }) => dtype === 'float64');
      for (const { kind, op, reverse, dtype, seed } of list) {
        const trees = anyExpr({ axes: all.length, stages: known, whole: wholeIndices(all), doubles });
        const value = fc.sample(trees[dtype], { numRuns: 1, seed })[0] as Expr;
        known.push({ number: stages.length, dtype });
        if (kind === 'map') stages.push({ kind, value });
        else if (kind === 'reduce') stages.push({ kind, op, value });
        else stages.push({ kind, op, reverse, value });
      }
      known.forEach(({ number, dtype }, i) => {
        const store = { operand: operands.length + i, index: rowMajor(all), value: stage(number, dtype) };
        stages.push({ kind: 'store', domain: 'element', store });
      });
      const outputs = known.map(({ dtype }) => output(dtype));
      return {
        kernel: {
          kind: 'row',
          operands: [...operands, ...outputs],
          arguments: ['float32', 'float32'],
          outer,
          inner,
          stages,
        },
        operands: [...values, ...known.map(({ dtype }) => someValues(dtype, count))],
        given,
      };
    });
}

/**
 * Contractions of random expressions, with an argument added to each sum.
 *
 * @example
 * import fc from 'fast-check';
 *
 * const property = fc.property(contractionKernels({ elements: 64 }), ({ kernel, operands, given }) => {
 *   const values = operands.map((operand) => operand.slice());
 *   runOracle(kernel, values, [...given]); // what a backend's values are held to
 *   return values.at(-1)!.length > 0;
 * });
 * fc.assert(property, { numRuns: 10 });
 */
export function contractionKernels(options: KernelSizes = {}): fc.Arbitrary<KernelCase<Contraction>> {
  const { elements = 10_000 } = options;
  const lists = axisLists({ sizes: [1, 2, 3, 4, 5], ...options }, 0, 2);
  return fc
    .tuple(lists, lists, lists, lists, fc.nat())
    .filter((draft) => {
      const sizes = draft.slice(0, 4).flat() as number[];
      return sizes.length > 0 && product(sizes) <= elements && product(draft.slice(0, 3).flat() as number[]) > 0;
    })
    .map(([batch, m, n, k, seed]) => {
      const axes = batch.length + m.length + n.length + k.length;
      const stored = [...batch, ...m, ...n];
      const [a, b] = fc.sample(anyExpr({ axes }).float32, { numRuns: 2, seed }) as [Expr, Expr];
      const [from, to] = [batch.length + m.length, stored.length];
      // Each operand may use its own axes only: the others stand still at 0.
      const keepA = (number: number): boolean => number < from || number >= to;
      const keepB = (number: number): boolean => number < batch.length || number >= from;
      const operands = operandTypes.map((dtype) => input(dtype));
      const value = binary('add', accumulator, { kind: 'argument', dtype: 'float32', argument: 0 });
      return {
        kernel: {
          kind: 'contraction',
          operands: [...operands, output('float32')],
          arguments: ['float32', 'float32'],
          batch,
          m,
          n,
          k,
          a: fixAxes(a, keepA),
          b: fixAxes(b, keepB),
          dtype: 'float32',
          stores: [{ operand: operands.length, index: rowMajor(stored), value }],
        },
        operands: [
          ...operands.map(({ dtype }, i) => someValues(dtype, LENGTH, i + 1)),
          new Float32Array(product(stored)),
        ],
        given,
      };
    });
}

/** `expr` with the axes that are not kept at 0. */
function fixAxes<T>(expr: T, keep: (axis: number) => boolean): T {
  const memo = new Map<unknown, unknown>();
  const visit = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    const known = memo.get(part);
    if (known !== undefined) return known;
    let result: unknown;
    if (Array.isArray(part)) result = part.map(visit);
    else if ((part as Index).kind === 'axis' && !keep((part as { axis: number }).axis))
      result = { kind: 'literal', value: 0 };
    else result = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, visit(value)]));
    memo.set(part, result);
    return result;
  };
  return visit(expr) as T;
}
