import { alwaysHolds, axesOf, directFactor, type Index, type Linear } from '@evenkeel/tensor/kernel';
import type { Indices } from '../indices.ts';
import type { Value } from '../loop-values.ts';
import type { Blocking, Group, Side } from './blocking.ts';
import type { Site } from './site.ts';

/** An operand that the micro-kernel reads where it lies: elements between neighbours of its side, and of k. */
export interface DirectRead {
  readonly element: number;
  readonly step: number;
}

/** Most elements of a side whose neighbours are read in place: more lie on too many pages for each k. */
const MOST_NEIGHBOURS = 256;
/** Longest rows of which several are read in place, at equal distances from each other; and columns that repay packing. */
const LONG_ROW = 512;
const MANY_COLUMNS = 256;

/** How rows are read without packing; undefined where they have to be packed, or are better packed. */
export function directRows(site: Site, { rows, columns, k }: Blocking): DirectRead | undefined {
  const strides = plainStrides(site, rows, k);
  if (!strides) return undefined;
  const { element, step } = strides;
  const isAlongK = step === 1 && (element < LONG_ROW || columns.count < MANY_COLUMNS);
  return isAlongK || (element === 1 && rows.count <= MOST_NEIGHBOURS) ? strides : undefined;
}

/** The same of columns, of which the micro-kernel reads vectors. */
export function directColumns(site: Site, { columns, k }: Blocking): DirectRead | undefined {
  if (columns.count % columns.width !== 0 || columns.count > MOST_NEIGHBOURS) return undefined;
  const strides = plainStrides(site, columns, k);
  return strides?.element === 1 ? strides : undefined;
}

/** Bytes of the nearest cache that two operands may take, and least k at a time. */
const NEAR_BYTES = 2 ** 15;
const LEAST_DEPTH = 32;

/**
 * The k that are gone through at a time. Two operands whose neighbours lie along their sides are read again for each tile,
 * all over their rows: so many of these as the nearest cache holds.
 */
export function nearDepth(site: Site, blocking: Blocking): number {
  const [rows, columns] = [directRows(site, blocking), directColumns(site, blocking)];
  if (!rows || !columns || rows.element !== 1) return blocking.depth;
  const fitting = Math.floor(NEAR_BYTES / (4 * (rows.step + columns.step)));
  return Math.min(blocking.depth, Math.max(LEAST_DEPTH, 2 ** Math.floor(Math.log2(fitting))));
}

/** The strides of an operand that is a plain array. */
function plainStrides(site: Site, side: Side, k: Group): DirectRead | undefined {
  const expr = site.kernel[side.operand];
  if (expr.kind !== 'load') return undefined;
  const { dtype, isWritten } = site.indices.place(expr.operand);
  const anywhere = site.anywhere(1);
  const isGuarded = !expr.guards.every((guard) => alwaysHolds(anywhere.linearGuard(guard, 0)));
  if (dtype !== 'float32' || isWritten || isGuarded) return undefined;
  const strides = stridesOf(site, expr.index, side, k);
  // Immediate offsets are not negative.
  if (!strides || strides.first < 0 || strides.second < 0) return undefined;
  return { element: strides.first, step: strides.second };
}

/** Address of the element of an array that is read or written at the given numbers in groups. */
export function directAddress(
  site: Site,
  { operand, index }: { readonly operand: number; readonly index: Index },
  position: Indices,
  at: readonly (readonly [Group, Linear])[],
): Value {
  const here = site.at(1, position);
  for (const [group, number] of at) site.place(here, group, () => number);
  return here.value(here.space.mul(here.linear(index), 4), here.place(operand).address);
}

/** The steps of an index along two groups, where it has any: everywhere the same, and nothing else depends on them. */
function stridesOf(
  site: Site,
  index: Index,
  first: Group,
  second: Group,
): { readonly first: number; readonly second: number } | undefined {
  const indices = site.anywhere(1);
  const axisOf = (group: Group): number => {
    const counter = site.indices.counter(Math.max(2, group.count), site.builder.i32(0));
    site.place(indices, group, () => counter);
    return indices.space.sizes.length - 1;
  };
  const [firstAxis, secondAxis] = [axisOf(first), axisOf(second)];
  const linear = indices.linear(index);
  const isDirect = linear.terms.every(({ atom }) => {
    if (atom.kind === 'axis') return true;
    const inside = axesOf(indices.space.add(atom.base, indices.space.literal(0)));
    return !inside.has(firstAxis) && !inside.has(secondAxis) && atom.kind !== 'load';
  });
  if (!isDirect) return undefined;
  return { first: directFactor(linear, firstAxis), second: directFactor(linear, secondAxis) };
}

/** Elements from one row of results to the next, where they are just the sums, and those of a row are neighbours. */
export function directStore(site: Site, { rows, columns }: Pick<Blocking, 'rows' | 'columns'>): number | undefined {
  const { kernel } = site;
  const [store, ...others] = kernel.stores;
  if (!store || others.length > 0 || store.value.kind !== 'accumulator') return undefined;
  const { dtype, access } = kernel.operands[store.operand] as (typeof kernel.operands)[number];
  if (dtype !== 'float32' || access !== 'out' || columns.count % columns.width !== 0) return undefined;
  const strides = stridesOf(site, store.index, rows, columns);
  return strides?.second === 1 && strides.first >= 0 ? strides.first : undefined;
}

/** What an index grows by along each of the kernel's axes; undefined where it is no sum of multiples of them. */
export function axisFactors(site: Site, index: Index): number[] | undefined {
  const linear = site.anywhere(1).linear(index);
  if (linear.terms.some(({ atom }) => atom.kind !== 'axis')) return undefined;
  const { batch, m, n, k } = site.kernel;
  const axes = [...batch, ...m, ...n, ...k].length;
  const anywhere = site.anywhere(1);
  return Array.from({ length: axes }, (_, axis) => {
    const [own] = anywhere.axis(axis).terms;
    return own?.atom.kind === 'axis' ? directFactor(anywhere.linear(index), own.atom.axis) : 0;
  });
}
