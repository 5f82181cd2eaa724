import type { Linear } from '@evenkeel/tensor/kernel';
import { Indices } from './indices.ts';
import type { Value } from './loop-values.ts';
import type { VectorAxis } from './vector-axis.ts';

/** A part, not an empty one, of an axis in groups of vectors; the last part also has the elements that fill no group. */
export interface GroupRange {
  readonly from?: Value;
  readonly to?: Value;
  readonly isLast?: Value;
}

/**
 * The loops over an axis in lanes: groups of a few vectors, then what is left in single vectors, then one
 * by one. Vectors of a group are independent work for the machine, and what V8 fuses to wider ones.
 */
export class LaneLoop {
  readonly vector: VectorAxis;
  readonly size: number;
  /** Elements of a group, and whole groups. */
  readonly width: number;
  readonly groups: number;

  constructor(vector: VectorAxis, size: number) {
    this.vector = vector;
    this.size = size;
    this.width = vector.lanes * vector.units;
    this.groups = Math.floor(size / this.width);
  }

  write(outer: Indices, { from, to, isLast }: GroupRange, body: (vectors: readonly Indices[]) => void): void {
    const { builder, space } = outer;
    const { axis, lanes, units } = this.vector;
    const group = (counter: Value): void => {
      const start = space.mul(outer.counter(this.groups, counter), this.width);
      const starts = Array.from({ length: units }, (_, unit) => space.add(start, space.literal(lanes * unit)));
      body(starts.map((first) => this.#vector(outer, first)));
    };
    const [first, end] = [from ?? builder.i32(0), to ?? builder.i32(this.groups)];
    if (this.groups > 0) builder.loop(first, end, group, { atLeastOnce: true });
    const done = this.groups * this.width;
    if (done === this.size) return;
    builder.when(isLast ?? builder.i32(1), () => {
      const vectors = Math.floor((this.size - done) / lanes);
      const left = this.size - done - vectors * lanes;
      this.#count(outer, vectors, (number) => {
        body([this.#vector(outer, space.add(space.mul(number, lanes), space.literal(done)))]);
      });
      this.#count(outer, left, (number) => {
        const single = new Indices(builder, outer.places, { like: outer });
        single.bind(axis, () => space.add(number, space.literal(this.size - left)));
        body([single]);
      });
    });
  }

  #vector(outer: Indices, first: Linear): Indices {
    const { axis, lanes } = this.vector;
    const indices = new Indices(outer.builder, outer.places, { lanes, like: outer });
    indices.bind(axis, (lane) => outer.space.add(first, outer.space.literal(lane)));
    return indices;
  }

  #count(outer: Indices, turns: number, body: (number: Linear) => void): void {
    const { builder, space } = outer;
    if (turns === 1) body(space.literal(0));
    else if (turns > 1) builder.loop(builder.i32(0), builder.i32(turns), (at) => body(outer.counter(turns, at)));
  }
}
