import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { Expr, Guard, Index, RowKernel, Stage } from '../src/kernel/ir.ts';
import type { DType } from '../src/types/dtype.ts';
import {
  accumulator,
  axis,
  binary,
  cast,
  compare,
  expectAgreement,
  input,
  inside,
  load,
  mod,
  output,
  rowMajor,
  someValues,
  stage,
  unary,
} from './backend-js-build.ts';

const LENGTH = 11;
const operandTypes = ['float32', 'int32', 'uint32', 'bool', 'float64', 'float16'] as const;
type Type = (typeof operandTypes)[number];

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

/** Expressions whose exact value is a whole number of moderate size: every correct evaluation gives the same bits. */
function anyExpr(
  axes: number,
  stages: readonly { number: number; dtype: DType }[] = [],
): Record<'float32' | 'int32' | 'uint32' | 'bool', fc.Arbitrary<Expr>> {
  const guards = fc.array(anyGuard(axes), { maxLength: 2 });
  const loadOf = (dtype: Type): fc.Arbitrary<Expr> => {
    return fc.record({ index: anyIndex(axes), guards, bare: fc.boolean() }).map(({ index, guards: some, bare }) => {
      // Outside is read only behind a guard.
      const position = bare ? mod(index, LENGTH) : index;
      return load(operandTypes.indexOf(dtype), position, dtype, bare ? some : [...some, inside(index, 0, LENGTH)]);
    });
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
  type Trees = Record<'float32' | 'int32' | 'uint32' | 'bool', Expr>;
  const depth = { depthSize: 'small', withCrossShrink: true } as const;
  const trees = fc.letrec<Trees>((tie) => ({
    float32: fc.oneof(
      depth,
      fc.oneof(loadOf('float32'), literalOf('float32', -3), ...stagesOf('float32')),
      fc
        .tuple(
          fc.constantFrom('add' as const, 'sub' as const, 'mul' as const, 'max' as const, 'min' as const),
          tie('float32'),
          tie('float32'),
        )
        .map(([op, a, b]) => binary(op, a, b)),
      fc
        .tuple(fc.constantFrom('neg' as const, 'abs' as const, 'sign' as const, 'floor' as const), tie('float32'))
        .map(([op, a]) => unary(op, a)),
      // Shared: one object used twice.
      tie('float32').map((shared) => binary('add', shared, unary('neg', shared))),
      fc.oneof(tie('int32'), tie('bool'), loadOf('float64'), loadOf('float16')).map((a) => cast('float32', a)),
      chosen('float32', tie('bool'), tie('float32')),
      fc.nat(1).map((argument) => ({ kind: 'argument', dtype: 'float32', argument }) as const),
    ),
    int32: fc.oneof(
      depth,
      fc.oneof(loadOf('int32'), literalOf('int32', -3), ...stagesOf('int32')),
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
      fc.oneof(tie('float32'), tie('uint32'), tie('bool')).map((a) => cast('int32', a)),
      chosen('int32', tie('bool'), tie('int32')),
    ),
    uint32: fc.oneof(
      depth,
      fc.oneof(loadOf('uint32'), literalOf('uint32', 0)),
      fc
        .tuple(
          fc.constantFrom('add' as const, 'sub' as const, 'mul' as const, 'mod' as const, 'min' as const),
          tie('uint32'),
          tie('uint32'),
        )
        .map(([op, a, b]) => binary(op, a, b)),
      fc
        .tuple(fc.constantFrom('xor' as const, 'shiftLeft' as const, 'shiftRight' as const), tie('uint32'), fc.nat(31))
        .map(
          ([op, left, by]) =>
            ({
              kind: 'bits',
              dtype: 'uint32',
              op,
              left,
              right: { kind: 'literal', dtype: 'uint32', value: by },
            }) as const,
        ),
      fc.oneof(tie('float32'), tie('int32')).map((a) => cast('uint32', a)),
    ),
    bool: fc.oneof(
      depth,
      fc.oneof(loadOf('bool'), literalOf('bool', 0)),
      fc
        .tuple(
          fc.constantFrom('equal' as const, 'notEqual' as const, 'less' as const, 'lessEqual' as const),
          fc.oneof(
            fc.tuple(tie('float32'), tie('float32')),
            fc.tuple(tie('int32'), tie('int32')),
            fc.tuple(tie('bool'), tie('bool')),
          ),
        )
        .map(([op, [a, b]]) => compare(op, a, b)),
      fc
        .tuple(fc.constantFrom('max' as const, 'min' as const), tie('bool'), tie('bool'))
        .map(([op, a, b]) => binary(op, a, b)),
      tie('bool').map((a) => unary('not', a)),
      fc.oneof(tie('float32'), tie('uint32')).map((a) => cast('bool', a)),
      chosen('bool', tie('bool'), tie('bool')),
    ),
  }));
  return trees;
}

const inputs = operandTypes.map((dtype) => input(dtype));
const values = operandTypes.map((dtype, i) => someValues(dtype, LENGTH, i + 1));
const given = [3, -2];
const runs = { numRuns: 150 };

describe('random kernels: printed, interpreted and naive agree in every bit', () => {
  test('elementwise, of every dtype', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });
    const kernels = sizes.chain((outer) => {
      const { float32, int32, uint32, bool } = anyExpr(outer.length);
      return fc.record({ outer: fc.constant(outer), stored: fc.tuple(float32, int32, uint32, bool) });
    });
    fc.assert(
      fc.property(kernels, ({ outer, stored }) => {
        const count = outer.reduce((product, size) => product * size, 1);
        const index = rowMajor(outer);
        const operands = [...inputs, ...stored.map(({ dtype }) => output(dtype))];
        const stages = stored.map(
          (value, i): Stage => ({ kind: 'store', domain: 'row', store: { operand: inputs.length + i, index, value } }),
        );
        const kernel: RowKernel = {
          kind: 'row',
          operands,
          arguments: ['float32', 'float32'],
          outer,
          inner: [],
          stages,
        };
        expectAgreement(kernel, [...values, ...stored.map(({ dtype }) => someValues(dtype, count))], { given });
      }),
      runs,
    );
  });

  test('rows of stages', () => {
    type Draft = {
      kind: 'map' | 'reduce' | 'scan';
      op: 'sum' | 'max' | 'min';
      reverse: boolean;
      isInt: boolean;
      pick: number;
    };
    const drafts = fc.array(
      fc.record<Draft>({
        kind: fc.constantFrom('map', 'reduce', 'scan'),
        op: fc.constantFrom('sum', 'max', 'min'),
        reverse: fc.boolean(),
        isInt: fc.boolean(),
        pick: fc.nat(),
      }),
      { minLength: 1, maxLength: 4 },
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(sizes, sizes, drafts, fc.infiniteStream(fc.nat()), (outer, inner, list, seeds) => {
        const all = [...outer, ...inner];
        const stages: Stage[] = [];
        const known: { number: number; dtype: DType }[] = [];
        const draw = (dtype: 'float32' | 'int32'): Expr => {
          const seed = seeds.next().value as number;
          return fc.sample(anyExpr(all.length, known)[dtype], { numRuns: 1, seed })[0] as Expr;
        };
        for (const draft of list) {
          const value = draw(draft.isInt ? 'int32' : 'float32');
          known.push({ number: stages.length, dtype: value.dtype });
          if (draft.kind === 'map') stages.push({ kind: 'map', value });
          else if (draft.kind === 'reduce') stages.push({ kind: 'reduce', op: draft.op, value });
          else stages.push({ kind: 'scan', op: draft.op, reverse: draft.reverse, value });
        }
        // Each stage is stored, elements combined with all that came before it.
        const count = all.reduce((product, size) => product * size, 1);
        const first = inputs.length;
        known.forEach(({ number, dtype }, i) => {
          const element = { operand: first + i, index: rowMajor(all), value: stage(number, dtype) };
          stages.push({ kind: 'store', domain: 'element', store: element });
        });
        const operands = [...inputs, ...known.map(({ dtype }) => output(dtype))];
        const kernel: RowKernel = { kind: 'row', operands, arguments: ['float32', 'float32'], outer, inner, stages };
        expectAgreement(kernel, [...values, ...known.map(({ dtype }) => someValues(dtype, count))], { given });
      }),
      runs,
    );
  });

  test('contractions', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 2 });
    fc.assert(
      fc.property(sizes, sizes, sizes, sizes, fc.nat(), (batch, m, n, k, seed) => {
        const all = [...batch, ...m, ...n, ...k];
        const stored = [...batch, ...m, ...n];
        if (all.length === 0) return;
        const [a, b] = fc.sample(anyExpr(all.length).float32, { numRuns: 2, seed }) as [Expr, Expr];
        const [from, to] = [batch.length + m.length, batch.length + m.length + n.length];
        // Each operand may use its own axes only: the others stand still at 0.
        const keepA = (number: number): boolean => number < from || number >= to;
        const keepB = (number: number): boolean => number < batch.length || number >= from;
        const count = stored.reduce((product, size) => product * size, 1);
        const operands = [...inputs, output('float32')];
        const value = binary('add', accumulator, { kind: 'argument', dtype: 'float32', argument: 0 });
        expectAgreement(
          {
            kind: 'contraction',
            operands,
            arguments: ['float32', 'float32'],
            batch,
            m,
            n,
            k,
            a: fixAxes(a, keepA),
            b: fixAxes(b, keepB),
            dtype: 'float32',
            stores: [{ operand: inputs.length, index: rowMajor(stored), value }],
          },
          [...values, new Float32Array(count)],
          { given },
        );
      }),
      runs,
    );
  });
});

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

test('axes of a row and of its elements may be mixed in one division', () => {
  const index: Index = {
    kind: 'floorDiv',
    left: { kind: 'add', left: { kind: 'mul', left: axis(0), by: 3 }, right: axis(1) },
    by: 2,
  };
  expectAgreement(
    {
      kind: 'row',
      operands: [input('float32'), output('float32')],
      arguments: [],
      outer: [3],
      inner: [3],
      stages: [
        { kind: 'store', domain: 'element', store: { operand: 1, index: rowMajor([3, 3]), value: load(0, index) } },
      ],
    },
    [someValues('float32', 9), new Float32Array(9)],
  );
});
