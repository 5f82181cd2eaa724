import type { Linear } from '../kernel/index-math.ts';
import type { Contraction } from '../kernel/ir.ts';
import { stridesOf } from '../types/shape.ts';
import { stepOf, walkedLoad } from './address-order.ts';
import type { Blocking } from './blocks.ts';
import { ExpressionValues } from './expression-values.ts';
import { IndexValues } from './index-values.ts';
import { LoopBuilder } from './loop-builder.ts';
import type { ArrayReference, LoopProgram, Value } from './loops.ts';
import { TILE_COLUMNS, TILE_ROWS } from './micro-kernel.ts';
import { operandNames } from './operand-names.ts';

/** A part of a contraction's axes: letter for names, number of its first axis, sizes, and how it is cut. */
export interface AxisGroup {
  readonly letter: 'b' | 'm' | 'n' | 'k';
  readonly first: number;
  readonly sizes: readonly number[];
  readonly blocking: Blocking;
}

/** The axes of a contraction and which part is rows, which columns of its tiles. */
export interface ContractionAxes {
  readonly batch: AxisGroup;
  readonly rows: AxisGroup;
  readonly columns: AxisGroup;
  readonly k: AxisGroup;
}

/**
 * Generated code around the micro-kernel. `bounds` of a call: an offset, a stride, then `from` and `to` of each axis of
 * batch, of the first part, and of the second (k for packing).
 */
class BlockLoops {
  readonly builder: LoopBuilder;
  readonly indices: IndexValues;
  readonly offset: Value;
  readonly stride: Value;
  readonly #groups: readonly AxisGroup[];

  constructor(kernel: Contraction, groups: readonly AxisGroup[], isWritten: (array: ArrayReference) => boolean) {
    this.builder = new LoopBuilder(isWritten);
    const sizes = [...kernel.batch, ...kernel.m, ...kernel.n, ...kernel.k];
    this.indices = new IndexValues(this.builder, sizes, kernel.operands);
    this.offset = this.#bound(0);
    this.stride = this.#bound(1);
    this.#groups = groups;
  }

  #bound(number: number): Value {
    return this.builder.read({ kind: 'bounds' }, this.builder.number(number));
  }

  /** Opens the groups' loops, the axis with the smallest step of `address` innermost. */
  open(address: Linear | undefined, body: () => void): void {
    const { builder, indices } = this;
    let next = 2;
    const axes = this.#groups.flatMap(({ letter, first, sizes, blocking }) =>
      sizes.map((size, i) => {
        const isWhole = i > blocking.pivot || blocking.count <= 1;
        const bounds = isWhole
          ? { from: builder.number(0), to: builder.number(size) }
          : { from: this.#bound(next), to: this.#bound(next + 1) };
        next += 2;
        return { ...bounds, name: `${letter}${i}`, axis: first + i, size, step: stepOf(address, first + i) };
      }),
    );
    const loops = axes.filter(({ size }) => size !== 1).sort((a, b) => b.step - a.step || a.size - b.size);
    const enter = (depth: number): void => {
      const loop = loops[depth];
      if (!loop) {
        body();
        return;
      }
      builder.loop(loop.name, loop.from, loop.to, (index) => {
        indices.bind(loop.axis, index);
        enter(depth + 1);
      });
    };
    enter(0);
  }

  /** Position of the current element in its group's block. */
  position(group: AxisGroup): Value {
    const { builder, indices } = this;
    const { sizes, first, blocking } = group;
    const before = this.#groups.slice(0, this.#groups.indexOf(group));
    const firstBound = 2 + 2 * before.reduce((count, other) => count + other.sizes.length, 0);
    const strides = stridesOf(sizes);
    let position = indices.space.literal(0);
    sizes.forEach((_, axis) => {
      if (axis < blocking.pivot) return;
      const part = indices.space.mul(indices.axis(first + axis), strides[axis] as number);
      position = indices.space.add(position, part);
    });
    if (blocking.count <= 1) return indices.valueOf(position);
    const start = this.#bound(firstBound + 2 * blocking.pivot);
    return indices.valueOf(position, builder.call('mul', start, builder.number(-(strides[blocking.pivot] as number))));
  }
}

/** Evaluates one operand into panels: value (k, position) of a panel of w positions goes to k * w + position mod w. */
export function lowerPacking(kernel: Contraction, side: 'rows' | 'columns', axes: ContractionAxes): LoopProgram {
  const group = axes[side];
  const loops = new BlockLoops(kernel, [axes.batch, group, axes.k], () => false);
  const { builder, indices } = loops;
  const expr = group.letter === 'm' ? kernel.a : kernel.b;
  const address = walkedLoad(expr);
  loops.open(address && indices.linear(address), () => {
    const expressions = new ExpressionValues(builder, indices, kernel, []);
    const width = side === 'rows' ? TILE_ROWS : TILE_COLUMNS;
    const position = loops.position(group);
    const panel = builder.call('shiftDown', position, builder.number(Math.log2(width)));
    const parts = [
      loops.offset,
      builder.call('mul', panel, loops.stride),
      builder.call('mask', position, builder.number(width - 1)),
      builder.call('mul', loops.position(axes.k), builder.number(width)),
    ];
    const target = parts
      .sort((a, b) => a.scope.depth - b.scope.depth)
      .reduce((sum, part) => builder.call('add', sum, part));
    const value = expressions.asNumber(expressions.value(expr), expr.dtype);
    builder.write({ kind: side }, target, value);
  });
  return builder.finish(side === 'rows' ? 'packRows' : 'packColumns', operandNames(kernel.operands));
}

/** Hands the finished sums of a block to the stores. */
export function lowerEpilogue(kernel: Contraction, axes: ContractionAxes): LoopProgram {
  const { rows, columns } = axes;
  const loops = new BlockLoops(kernel, [axes.batch, rows, columns], (array) => {
    return array.kind === 'operand' && kernel.operands[array.number]?.access !== 'in';
  });
  const { builder, indices } = loops;
  const first = kernel.stores[0];
  loops.open(first && indices.linear(first.index), () => {
    const [row, column] = [loops.position(rows), loops.position(columns)];
    const accumulator = (): Value => {
      // Tile (i, j) of panels i of rows and j of columns is at (j * stride + i) * 8.
      const rowPart = builder.call(
        'add',
        builder.call('mul', builder.call('shiftDown', row, builder.number(1)), builder.number(8)),
        builder.call('mul', builder.call('mask', row, builder.number(1)), builder.number(4)),
      );
      const columnPart = builder.call(
        'add',
        builder.call('mul', builder.call('shiftDown', column, builder.number(2)), loops.stride),
        builder.call('mask', column, builder.number(3)),
      );
      return builder.read({ kind: 'tiles' }, builder.call('add', rowPart, columnPart));
    };
    const context = { operands: kernel.operands, arguments: kernel.arguments, accumulator };
    const expressions = new ExpressionValues(builder, indices, context, kernel.stores);
    for (const write of kernel.stores.map((store) => expressions.prepareStore(store))) write();
  });
  return builder.finish('epilogue', operandNames(kernel.operands));
}
