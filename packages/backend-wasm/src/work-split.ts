import type { Linear } from '@evenkeel/tensor/kernel';
import { Indices, type Place } from './indices.ts';
import { LaneLoop } from './lane-loop.ts';
import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';
import type { VectorAxis } from './vector-axis.ts';

/** Element operations that a chunk holds, about: some microseconds. */
export const CHUNK_WORK = 1 << 14;

/** Positions of parallel axes, in chunks that any thread may take. */
export interface WorkSplit {
  readonly chunks: number;
  /** Writes the loops of one chunk; `body` is called for several vectors, for one, and for single elements. */
  write(
    builder: LoopBuilder,
    places: readonly Place[],
    chunk: Value,
    body: (vectors: readonly Indices[]) => void,
  ): void;
}

interface Axis {
  readonly axis: number;
  readonly size: number;
}

/**
 * Splits axes 0, 1 ... of the given sizes, one of which may be computed in lanes; each position is `work` operations, of
 * which a chunk holds about `chunkWork`.
 */
export function splitWork(
  sizes: readonly number[],
  vector: VectorAxis | undefined,
  work: number,
  chunkWork = CHUNK_WORK,
): WorkSplit {
  const axes = sizes
    .map((size, axis) => ({ axis, size }))
    .filter(({ axis, size }) => axis !== vector?.axis && size > 1);
  const lanes = vector && new LaneLoop(vector, sizes[vector.axis] as number);
  const most = Math.max(1, Math.floor(chunkWork / work));
  const along = lanes?.size ?? 1;
  // Innermost axes that fit in a chunk become loops, the others a counter that chunks are cut from.
  let inner = along;
  let first = axes.length;
  while (first > 0 && inner * (axes[first - 1] as Axis).size <= most) inner *= (axes[--first] as Axis).size;
  const counted = axes.slice(0, first);
  const looped = axes.slice(first);
  const positions = counted.reduce((count, { size }) => count * size, 1);
  const partGroups = lanes ? Math.max(1, Math.floor(most / lanes.width)) : 1;
  const parts = lanes && along > 2 * most ? Math.ceil(lanes.groups / partGroups) : 1;
  const items = positions * parts;
  const perChunk = parts > 1 ? 1 : Math.max(1, Math.floor(most / inner));
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
        bindPositions(indices, counted, indices.space.floorDiv(linear, parts));
        loopOver([indices], looped, () => {
          if (!lanes) body([indices]);
          else if (parts === 1) lanes.write(indices, {}, body);
          else {
            const part = indices.value(indices.space.mod(linear, parts));
            const start = builder.op('i32.mul', part, builder.i32(partGroups));
            const next = builder.op('i32.add', start, builder.i32(partGroups));
            const last = builder.op('i32.eqz', builder.op('i32.sub', part, builder.i32(parts - 1)));
            const stop = builder.select(last, builder.i32(lanes.groups), next);
            lanes.write(indices, { from: start, to: stop, isLast: last }, body);
          }
        });
      };
      if (perChunk === 1) item(chunk);
      else builder.loop(from, to, item, { atLeastOnce: true });
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

/** Loops over axes, the last innermost, that all of `vectors` go through together. */
export function loopOver(
  vectors: readonly Indices[],
  axes: readonly Axis[],
  body: () => void,
  { reverse = false }: { reverse?: boolean } = {},
): void {
  const [first, ...others] = axes;
  if (!first) {
    body();
    return;
  }
  const { builder, space } = vectors[0] as Indices;
  const enter = (linear: Linear): void => {
    for (const indices of vectors) indices.bind(first.axis, () => linear);
    loopOver(vectors, others, body, { reverse });
  };
  if (first.size === 1) {
    enter(space.literal(0));
    return;
  }
  const turn = (counter: Value): void => enter((vectors[0] as Indices).counter(first.size, counter));
  builder.loop(builder.i32(0), builder.i32(first.size), turn, { reverse });
}
