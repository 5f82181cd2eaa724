import type { Linear } from '@evenkeel/tensor/kernel';
import { Indices, LANES, type Place } from './indices.ts';
import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';

/** Element operations that a chunk holds, about: some microseconds. */
const CHUNK = 1 << 14;

/** Positions of parallel axes, in chunks that any thread may take. */
export interface WorkSplit {
  readonly chunks: number;
  /** Writes the loops of one chunk; `body` is called for four lanes and for single elements. */
  write(builder: LoopBuilder, places: readonly Place[], chunk: Value, body: (indices: Indices) => void): void;
}

interface Axis {
  readonly axis: number;
  readonly size: number;
}

/** Splits axes 0, 1 ... of the given sizes, one of which may be computed in lanes; each position is `work` operations. */
export function splitWork(sizes: readonly number[], vector: number | undefined, work: number): WorkSplit {
  const axes = sizes.map((size, axis) => ({ axis, size })).filter(({ axis, size }) => axis !== vector && size > 1);
  const lanes = vector === undefined ? undefined : new LaneLoop(vector, sizes[vector] as number);
  const most = Math.max(1, Math.floor(CHUNK / work));
  const along = lanes?.size ?? 1;
  // Innermost axes that fit in a chunk become loops, the others a counter that chunks are cut from.
  let inner = along;
  let first = axes.length;
  while (first > 0 && inner * (axes[first - 1] as Axis).size <= most) inner *= (axes[--first] as Axis).size;
  const counted = axes.slice(0, first);
  const looped = axes.slice(first);
  const positions = counted.reduce((count, { size }) => count * size, 1);
  const blockGroups = Math.max(1, Math.floor(most / LANES));
  const blocks = lanes && along > 2 * most ? Math.ceil(lanes.groups / blockGroups) : 1;
  const items = positions * blocks;
  const perChunk = blocks > 1 ? 1 : Math.max(1, Math.floor(most / inner));
  return {
    chunks: Math.ceil(items / perChunk),
    write(builder, places, chunk, body) {
      const indices = new Indices(builder, places);
      const from = builder.op('i32.mul', chunk, builder.i32(perChunk));
      const end = builder.op('i32.add', from, builder.i32(perChunk));
      const limit = builder.i32(items);
      const to = perChunk === 1 ? end : builder.select(builder.op('i32.lt_s', end, limit), end, limit);
      for (const { axis } of sizes.map((_, axis) => ({ axis }))) indices.bind(axis, () => indices.space.literal(0));
      const item = (counter: Value): void => {
        const linear = indices.counter(items, counter);
        bindPositions(indices, counted, indices.space.floorDiv(linear, blocks));
        loopOver(builder, indices, looped, () => {
          if (!lanes) body(indices);
          else if (blocks === 1) lanes.write(indices, {}, body);
          else {
            const block = indices.value(indices.space.mod(linear, blocks));
            const start = builder.op('i32.mul', block, builder.i32(blockGroups));
            const next = builder.op('i32.add', start, builder.i32(blockGroups));
            const last = builder.op('i32.eqz', builder.op('i32.sub', block, builder.i32(blocks - 1)));
            const stop = builder.select(last, builder.i32(lanes.groups), next);
            lanes.write(indices, { from: start, to: stop, isLast: last }, body);
          }
        });
      };
      if (perChunk === 1) item(chunk);
      else builder.loop(from, to, item);
    },
  };
}

/** Binds axes to a position counted over all of them in row-major order. */
export function bindPositions(indices: Indices, axes: readonly Axis[], position: Linear): void {
  const shape = axes.map(({ size }) => size);
  indices.space.unravel(position, shape).forEach((linear, i) => {
    indices.bind((axes[i] as Axis).axis, () => linear);
  });
}

/** Loops over axes, the last innermost. */
export function loopOver(
  builder: LoopBuilder,
  indices: Indices,
  axes: readonly Axis[],
  body: () => void,
  { reverse = false }: { reverse?: boolean } = {},
): void {
  const [first, ...others] = axes;
  if (!first) {
    body();
    return;
  }
  if (first.size === 1) {
    indices.bind(first.axis, () => indices.space.literal(0));
    loopOver(builder, indices, others, body, { reverse });
    return;
  }
  const enter = (counter: Value): void => {
    const linear = indices.counter(first.size, counter);
    indices.bind(first.axis, () => linear);
    loopOver(builder, indices, others, body, { reverse });
  };
  builder.loop(builder.i32(0), builder.i32(first.size), enter, { reverse });
}

/** A part of an axis in groups of four; the last part also has the elements that fill no group. */
export interface GroupRange {
  readonly from?: Value;
  readonly to?: Value;
  readonly isLast?: Value;
}

/** The loops over an axis in lanes: groups of four elements, then what is left one by one. */
export class LaneLoop {
  readonly axis: number;
  readonly size: number;
  readonly groups: number;

  constructor(axis: number, size: number) {
    this.axis = axis;
    this.size = size;
    this.groups = Math.floor(size / LANES);
  }

  write(outer: Indices, { from, to, isLast }: GroupRange, body: (indices: Indices) => void): void {
    const { builder, space } = outer;
    builder.loop(from ?? builder.i32(0), to ?? builder.i32(this.groups), (counter) => {
      const indices = new Indices(builder, outer.places, { lanes: LANES, like: outer });
      const group = space.mul(indices.counter(this.groups, counter), LANES);
      indices.bind(this.axis, (lane) => space.add(group, space.literal(lane)));
      body(indices);
    });
    const done = this.groups * LANES;
    if (done === this.size) return;
    builder.when(isLast ?? builder.i32(1), () => {
      builder.loop(builder.i32(0), builder.i32(this.size - done), (counter) => {
        const indices = new Indices(builder, outer.places, { like: outer });
        const rest = indices.counter(this.size - done, counter);
        indices.bind(this.axis, () => space.add(rest, space.literal(done)));
        body(indices);
      });
    });
  }
}
