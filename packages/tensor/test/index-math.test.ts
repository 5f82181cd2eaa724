import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexSpace, type Linear } from '../src/kernel/index-math.ts';
import type { Index } from '../src/kernel/ir.ts';

function run(index: Index, axes: readonly number[]): number {
  switch (index.kind) {
    case 'literal':
      return index.value;
    case 'axis':
      return axes[index.axis] as number;
    case 'add':
      return run(index.left, axes) + run(index.right, axes);
    case 'mul':
      return run(index.left, axes) * index.by;
    case 'floorDiv':
      return Math.floor(run(index.left, axes) / index.by);
    case 'mod':
      return run(index.left, axes) - Math.floor(run(index.left, axes) / index.by) * index.by;
    case 'load':
      throw new Error('no loads here');
  }
}

type Recipe = {
  readonly kind: 'add' | 'mul' | 'floorDiv' | 'mod' | 'shift';
  readonly back: number;
  readonly by: number;
}[];

const recipes = fc.array(
  fc.record({
    kind: fc.constantFrom('add', 'mul', 'floorDiv', 'mod', 'shift'),
    back: fc.nat({ max: 5 }),
    by: fc.integer({ min: 1, max: 12 }),
  }),
  { minLength: 1, maxLength: 8 },
) as fc.Arbitrary<Recipe>;

/** Builds an index and, beside it, the plain function that it stands for. */
function build(
  space: IndexSpace,
  sizes: readonly number[],
  recipe: Recipe,
): [Linear, (axes: readonly number[]) => number] {
  const pool: [Linear, (axes: readonly number[]) => number][] = sizes.map((size, axis) => [
    space.addAxis(size),
    (axes) => axes[axis] as number,
  ]);
  for (const { kind, back, by } of recipe) {
    const [left, f] = pool[pool.length - 1] as [Linear, (axes: readonly number[]) => number];
    const [right, g] = pool[(back * 7 + by) % pool.length] as [Linear, (axes: readonly number[]) => number];
    if (kind === 'add') pool.push([space.add(left, right), (axes) => f(axes) + g(axes)]);
    else if (kind === 'mul') pool.push([space.mul(left, by - 4), (axes) => f(axes) * (by - 4)]);
    else if (kind === 'shift') pool.push([space.add(left, space.literal(by - 6)), (axes) => f(axes) + by - 6]);
    else if (kind === 'floorDiv') pool.push([space.floorDiv(left, by), (axes) => Math.floor(f(axes) / by)]);
    else pool.push([space.mod(left, by), (axes) => f(axes) - Math.floor(f(axes) / by) * by]);
  }
  return pool[pool.length - 1] as [Linear, (axes: readonly number[]) => number];
}

function everyPosition(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (positions, size) => positions.flatMap((p) => Array.from({ length: size }, (_, i) => [...p, i])),
    [[]],
  );
}

describe('index arithmetic', () => {
  it('equals plain integer arithmetic, and its bounds hold', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
        recipes,
        (sizes, recipe) => {
          const space = new IndexSpace();
          const [index, plain] = build(space, sizes, recipe);
          const emitted = space.emit(index);
          for (const axes of everyPosition(sizes)) {
            const value = plain(axes);
            expect(run(emitted, axes) === value).toBe(true);
            expect(value).toBeGreaterThanOrEqual(index.min);
            expect(value).toBeLessThanOrEqual(index.max);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('takes reshapes apart and puts them together again without a division', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }), (shape) => {
        const space = new IndexSpace();
        const indices = shape.map((size) => space.addAxis(size));
        const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
        expect(space.unravel(space.dot(indices, strides), shape)).toEqual(indices);
        const total = strides[0] as number;
        const flat = space.addAxis(total * (shape[0] as number));
        expect(space.dot(space.unravel(flat, shape), strides)).toBe(flat);
      }),
    );
  });
});
