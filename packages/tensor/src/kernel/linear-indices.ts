import { IndexSpace, type Linear, type LinearGuard } from './index-math.ts';
import type { Guard, Index, Operand } from './ir.ts';

const INT32 = 2 ** 31;

/**
 * The indices of one kernel in exact arithmetic over its axes, each converted once: what a printer of indices starts from.
 *
 * @example
 * ```ts
 * const indices = new LinearIndices([3, 4], []);
 * indices.of({ kind: 'mul', left: { kind: 'axis', axis: 1 }, by: 5 }).max; // 15
 * ```
 */
export class LinearIndices {
  readonly space = new IndexSpace();
  readonly #axes: Linear[];
  readonly #known = new Map<Index, Linear>();
  readonly #operands: readonly Operand[];

  /** @param sizes of the kernel's axes, by axis number; `operands` are what its indices may be read from. */
  constructor(sizes: readonly number[], operands: readonly Operand[]) {
    this.#operands = operands;
    this.#axes = sizes.map((size) => this.space.addAxis(size));
  }

  axis(axis: number): Linear {
    return this.#axes[axis] as Linear;
  }

  /** Axis `axis` is another index from now on. */
  substitute(axis: number, by: Linear): void {
    this.#axes[axis] = by;
    this.#known.clear();
  }

  of(index: Index): Linear {
    const known = this.#known.get(index);
    if (known) return known;
    const linear = this.#convert(index);
    this.#known.set(index, linear);
    return linear;
  }

  guard(guard: Guard): LinearGuard {
    return { ...guard, index: this.of(guard.index) };
  }

  #convert(index: Index): Linear {
    const { space } = this;
    switch (index.kind) {
      case 'literal':
        return space.literal(index.value);
      case 'axis':
        return this.axis(index.axis);
      case 'add':
        return space.add(this.of(index.left), this.of(index.right));
      case 'mul':
        return space.mul(this.of(index.left), index.by);
      case 'floorDiv':
        return space.floorDiv(this.of(index.left), index.by);
      case 'mod':
        return space.mod(this.of(index.left), index.by);
      case 'load': {
        const unsigned = this.#operands[index.operand]?.dtype === 'uint32';
        const bounds = unsigned ? { min: 0, max: 2 * INT32 - 1 } : { min: -INT32, max: INT32 - 1 };
        const guards = index.guards.map((guard) => this.guard(guard));
        return space.load(index.operand, this.of(index.index), guards, bounds);
      }
    }
  }
}
