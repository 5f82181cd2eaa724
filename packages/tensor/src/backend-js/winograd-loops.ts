import type { Contraction, Expr } from '../kernel/ir.ts';
import { stepOf, walkedLoad } from './address-order.ts';
import { FINITE_CHECK } from './block-memory.ts';
import { ExpressionValues } from './expression-values.ts';
import { IndexValues } from './index-values.ts';
import { LoopBuilder } from './loop-builder.ts';
import type { LoopProgram, Value } from './loops.ts';
import { TILE_COLUMNS, TILE_ROWS } from './micro-kernel.ts';
import { operandNames } from './operand-names.ts';
import { POINTS, TILE, type WinogradShape } from './winograd-shape.ts';
import { transformSquare } from './winograd-transforms.ts';

/** Bounds of a block, in the order in which generated code reads them; batch indices follow. */
export interface WinogradBlock {
  readonly fromImage: number;
  readonly toImage: number;
  readonly fromRow: number;
  readonly toRow: number;
  /** Rows of tiles, and tiles of the whole block. */
  readonly tileRows: number;
  readonly tiles: number;
}

export function boundsOf(block: WinogradBlock, batch: readonly number[]): number[] {
  const { fromImage, toImage, fromRow, toRow, tileRows, tiles } = block;
  return [fromImage, toImage, fromRow, toRow, tileRows, tiles, ...batch];
}

/** Distance between the panels of two points. */
export const panelStride = (positions: number, width: number, depth: number): number => {
  return Math.ceil(positions / width) * width * depth;
};

/** Sizes of a block in values, the same for all blocks of a shape: a smaller last one leaves room. */
export function blockSizes({ width, imagesPerBlock, tileRowsPerBlock, channels, outputs, role }: WinogradShape) {
  const tileColumns = Math.ceil(width / TILE);
  const tiles = imagesPerBlock * tileRowsPerBlock * tileColumns;
  const rows = role === 'forward' ? tiles : channels;
  const depth = role === 'forward' ? channels : tiles;
  return {
    tileColumns,
    rowStride: panelStride(rows, TILE_ROWS, depth),
    columnStride: panelStride(outputs, TILE_COLUMNS, depth),
    tileStride: Math.ceil(rows / TILE_ROWS) * Math.ceil(outputs / TILE_COLUMNS) * TILE_ROWS * TILE_COLUMNS,
  };
}

class Loops {
  readonly builder: LoopBuilder;
  readonly block: { readonly [K in keyof WinogradBlock]: Value };

  constructor(operands: Contraction['operands'] = []) {
    this.builder = new LoopBuilder((array) => {
      return array.kind === 'operand' && operands[array.number]?.access !== 'in';
    });
    const [fromImage, toImage, fromRow, toRow, tileRows, tiles] = [0, 1, 2, 3, 4, 5].map((i) => this.bound(i)) as [
      Value,
      Value,
      Value,
      Value,
      Value,
      Value,
    ];
    this.block = { fromImage, toImage, fromRow, toRow, tileRows, tiles };
  }

  bound(number: number): Value {
    return this.builder.read({ kind: 'bounds' }, this.builder.number(number));
  }

  /** a * b + c, for indices. */
  join(a: Value, b: Value | number, c: Value): Value {
    const { builder } = this;
    return builder.call('add', builder.call('mul', a, typeof b === 'number' ? builder.number(b) : b), c);
  }

  offset(base: Value, by: number): Value {
    return by === 0 ? base : this.builder.call('add', base, this.builder.number(by));
  }

  /** Place of (position, depth) in panels of a width. */
  panel(position: Value, depth: Value, width: number, panelDepth: Value): Value {
    const { builder } = this;
    const panel = builder.call('shiftDown', position, builder.number(Math.log2(width)));
    const lane = builder.call('mask', position, builder.number(width - 1));
    const start = builder.call('mul', panel, builder.call('mul', panelDepth, builder.number(width)));
    return builder.call('add', builder.call('add', start, lane), builder.call('mul', depth, builder.number(width)));
  }

  over(name: string, from: Value | number, to: Value | number, body: (index: Value) => void): void {
    const value = (bound: Value | number): Value => (typeof bound === 'number' ? this.builder.number(bound) : bound);
    this.builder.loop(name, value(from), value(to), body);
  }

  /** Images, rows of tiles, tiles in a row: hands over the image, the tile's row and column, and its number. */
  overTiles(tileColumns: number, body: (image: Value, row: Value, column: Value, tile: Value) => void): void {
    const { fromImage, toImage, tileRows } = this.block;
    this.over('image', 0, this.builder.call('sub', toImage, fromImage), (image) => {
      this.over('tileRow', 0, tileRows, (row) => {
        this.over('tileColumn', 0, tileColumns, (column) => {
          body(image, row, column, this.join(this.join(image, tileRows, row), tileColumns, column));
        });
      });
    });
  }
}

/** Which values of a kernel a plane holds: of operand `a` with its halo, or one an output position. */
type Plane = 'input' | 'outputs';

/** Loops of a kernel's expressions over planes `[image][row][column][channel]` of a block. */
class PlaneLoops extends Loops {
  readonly indices: IndexValues;
  readonly #kernel: Contraction;
  readonly #shape: WinogradShape;
  readonly #plane: Plane;

  constructor(kernel: Contraction, shape: WinogradShape, plane: Plane) {
    super(kernel.operands);
    this.#kernel = kernel;
    this.#shape = shape;
    this.#plane = plane;
    const sizes = [...kernel.batch, ...kernel.m, ...kernel.n, ...kernel.k];
    if (plane === 'input') {
      // Position and tap only count as a sum: positions take the taps' reach.
      const { y, x, tapY, tapX } = shape.axes;
      [sizes[y], sizes[x], sizes[tapY], sizes[tapX]] = [shape.height + 2, shape.width + 2, 1, 1];
    }
    this.indices = new IndexValues(this.builder, sizes, kernel.operands);
    kernel.batch.forEach((_, axis) => {
      this.indices.bind(axis, this.bound(6 + axis));
    });
  }

  /** Runs over the block, the axis with the smallest step of `expr`'s load innermost; hands over the place in the plane. */
  open(expr: Expr | undefined, body: (place: Value) => void): void {
    const { builder, indices, block } = this;
    const { axes, height, width } = this.#shape;
    const isInput = this.#plane === 'input';
    const [halo, channel] = isInput ? [2, axes.channel] : [0, axes.output];
    const count = isInput ? this.#shape.channels : this.#shape.outputs;
    const load = expr && walkedLoad(expr);
    const address = load && indices.linear(load);
    const lastRow = builder.call('min', block.toRow, builder.number(height));
    const loops = [
      { name: 'image', axis: axes.image, from: block.fromImage, to: block.toImage },
      { name: 'row', axis: axes.y, from: block.fromRow, to: this.offset(lastRow, halo) },
      { name: 'column', axis: axes.x, from: builder.number(0), to: builder.number(width + halo) },
      { name: 'channel', axis: channel, from: builder.number(0), to: builder.number(count) },
    ].map((loop) => ({
      ...loop,
      step: loop.axis === undefined ? Number.MAX_SAFE_INTEGER : stepOf(address, loop.axis),
    }));
    const order = [...loops].sort((a, b) => b.step - a.step);
    const values: Value[] = [];
    const enter = (depth: number): void => {
      const loop = order[depth];
      if (!loop) {
        const [image, row, column, inner] = values as [Value, Value, Value, Value];
        const planeWidth = Math.ceil(width / TILE) * TILE + halo;
        const planeHeight = this.offset(builder.call('mul', block.tileRows, builder.number(TILE)), halo);
        const ownImage = builder.call('sub', image, block.fromImage);
        const ownRow = builder.call('sub', row, block.fromRow);
        const imagePart = builder.call(
          'mul',
          builder.call('mul', ownImage, planeHeight),
          builder.number(planeWidth * count),
        );
        const parts = [
          imagePart,
          builder.call('mul', ownRow, builder.number(planeWidth * count)),
          builder.call('mul', column, builder.number(count)),
          inner,
        ];
        parts.sort((a, b) => a.scope.depth - b.scope.depth);
        body(parts.reduce((sum, part) => builder.call('add', sum, part)));
        return;
      }
      this.over(loop.name, loop.from, loop.to, (index) => {
        values[loops.indexOf(loop)] = index;
        if (loop.axis !== undefined) indices.bind(loop.axis, index);
        enter(depth + 1);
      });
    };
    enter(0);
  }

  /** Loops over whole axes, in order; hands over the row-major position. */
  openWhole(axes: readonly { name: string; axis: number; size: number }[], body: (place: Value) => void): void {
    const enter = (depth: number, place: Value): void => {
      const loop = axes[depth];
      if (!loop) {
        body(place);
        return;
      }
      this.over(loop.name, 0, loop.size, (index) => {
        this.indices.bind(loop.axis, index);
        enter(depth + 1, this.join(place, loop.size, index));
      });
    };
    enter(0, this.builder.number(0));
  }

  /** Evaluates `expr` into the planes within the loops of `open`, and notes whether all its values are finite. */
  gather(expr: Expr, open: (body: (place: Value) => void) => void): void {
    const { builder } = this;
    // x - x is 0 for a finite x, and NaN for others.
    const check = builder.variable('check', builder.number(0));
    open((place) => {
      const expressions = new ExpressionValues(builder, this.indices, this.#kernel, []);
      const value = expressions.asNumber(expressions.value(expr), expr.dtype);
      builder.write({ kind: 'planes' }, place, value);
      builder.assign(check, builder.call('add', builder.current(check), builder.call('sub', value, value)));
    });
    builder.write({ kind: 'planes' }, builder.number(FINITE_CHECK), builder.current(check));
  }

  store(place: Value): void {
    const { operands, arguments: scalars, stores } = this.#kernel;
    const accumulator = (): Value => this.builder.read({ kind: 'planes' }, place);
    const context = { operands, arguments: scalars, accumulator };
    const expressions = new ExpressionValues(this.builder, this.indices, context, stores);
    for (const write of stores.map((store) => expressions.prepareStore(store))) write();
  }

  finish(kind: string): LoopProgram {
    return this.builder.finish(kind, operandNames(this.#kernel.operands));
  }
}

/** Operand `a` of a block to planes `[image][row][column][channel]`, each element once. */
export function lowerGatherInput(kernel: Contraction, shape: WinogradShape): LoopProgram {
  const loops = new PlaneLoops(kernel, shape, 'input');
  loops.gather(kernel.a, (body) => loops.open(kernel.a, body));
  return loops.finish('gatherInput');
}

/** Operand `b`: weights `[output][channel][3][3]`, or a block of the outputs' gradient as planes. */
export function lowerGatherOther(kernel: Contraction, shape: WinogradShape): LoopProgram {
  const loops = new PlaneLoops(kernel, shape, 'outputs');
  if (shape.role === 'weightGradient') loops.gather(kernel.b, (body) => loops.open(kernel.b, body));
  else {
    const { axes, outputs, channels } = shape;
    const order = [
      { name: 'output', axis: axes.output, size: outputs },
      { name: 'channel', axis: axes.channel, size: channels },
      { name: 'tapRow', axis: axes.tapY, size: 3 },
      { name: 'tapColumn', axis: axes.tapX, size: 3 },
    ];
    loops.gather(kernel.b, (body) => loops.openWhole(order, body));
  }
  return loops.finish('gatherOther');
}

/** Finished sums to the stores: of a block's outputs, or of weights `[channel][output][3][3]`. */
export function lowerWinogradEpilogue(kernel: Contraction, shape: WinogradShape): LoopProgram {
  const loops = new PlaneLoops(kernel, shape, 'outputs');
  const { axes, outputs, channels } = shape;
  const first = kernel.stores[0];
  if (shape.role === 'forward') {
    const address: Expr | undefined = first && {
      kind: 'load',
      dtype: 'float32',
      operand: 0,
      index: first.index,
      guards: [],
    };
    loops.open(address, (place) => loops.store(place));
  } else {
    const order = [
      { name: 'channel', axis: axes.channel, size: channels },
      { name: 'output', axis: axes.output, size: outputs },
      { name: 'tapRow', axis: axes.tapY, size: 3 },
      { name: 'tapColumn', axis: axes.tapX, size: 3 },
    ];
    loops.openWhole(order, (place) => loops.store(place));
  }
  return loops.finish('epilogue');
}

/** Tiles of planes to panels, one set a point: of the input (6 x 6, to rows) or of the outputs' gradient (4 x 4, to columns). */
export function lowerTileTransform(shape: WinogradShape, transform: 'input' | 'outputGradient'): LoopProgram {
  const loops = new Loops();
  const { builder, block } = loops;
  const isInput = transform === 'input';
  const [count, size, halo] = isInput ? [shape.channels, TILE + 2, 2] : [shape.outputs, TILE, 0];
  const { tileColumns, rowStride, columnStride } = blockSizes(shape);
  const planeWidth = tileColumns * TILE + halo;
  const planeHeight = loops.offset(builder.call('mul', block.tileRows, builder.number(TILE)), halo);
  loops.overTiles(tileColumns, (image, row, column, tile) => {
    const firstRow = loops.join(image, planeHeight, builder.call('mul', row, builder.number(TILE)));
    const corner = loops.join(firstRow, planeWidth, builder.call('mul', column, builder.number(TILE)));
    loops.over('channel', 0, count, (channel) => {
      const base = loops.join(corner, count, channel);
      const square = Array.from({ length: size }, (_, i) =>
        Array.from({ length: size }, (_, j) => {
          return builder.read({ kind: 'planes' }, loops.offset(base, (i * planeWidth + j) * count));
        }),
      );
      const [array, width, stride] = isInput
        ? (['rows', TILE_ROWS, rowStride] as const)
        : (['columns', TILE_COLUMNS, columnStride] as const);
      const place =
        shape.role === 'forward'
          ? loops.panel(tile, channel, width, builder.number(count))
          : loops.panel(channel, tile, width, block.tiles);
      writePoints(loops, array, place, stride, transformSquare(builder, transform, square));
    });
  });
  return builder.finish(isInput ? 'transformInput' : 'transformGradient', []);
}

/** Weights `[output][channel][3][3]` to column panels. */
export function lowerWeightTransform(shape: WinogradShape): LoopProgram {
  const loops = new Loops();
  const { builder } = loops;
  const { channels, outputs } = shape;
  loops.over('output', 0, outputs, (output) => {
    loops.over('channel', 0, channels, (channel) => {
      const base = builder.call('mul', loops.join(output, channels, channel), builder.number(9));
      const square = [0, 3, 6].map((row) => {
        return [0, 1, 2].map((column) => builder.read({ kind: 'planes' }, loops.offset(base, row + column)));
      });
      const place = loops.panel(output, channel, TILE_COLUMNS, builder.number(channels));
      const points = transformSquare(builder, 'weights', square);
      writePoints(loops, 'columns', place, blockSizes(shape).columnStride, points);
    });
  });
  return builder.finish('transformWeights', []);
}

/** Products at the points to planes of outputs, or to the gradient of weights `[channel][output][3][3]`. */
export function lowerInverseTransform(shape: WinogradShape): LoopProgram {
  const loops = new Loops();
  const { builder, block } = loops;
  const { channels, outputs, role } = shape;
  const { tileColumns, tileStride } = blockSizes(shape);
  const rows = role === 'forward' ? block.tiles : builder.number(channels);
  const rowPanels = builder.call('shiftDown', loops.offset(rows, 1), builder.number(1));
  const readPoints = (row: Value, column: Value): Value[][] => {
    const panel = loops.join(
      builder.call('shiftDown', column, builder.number(2)),
      rowPanels,
      builder.call('shiftDown', row, builder.number(1)),
    );
    const lane = loops.join(
      builder.call('mask', row, builder.number(1)),
      TILE_COLUMNS,
      builder.call('mask', column, builder.number(3)),
    );
    const base = loops.join(panel, TILE_ROWS * TILE_COLUMNS, lane);
    return Array.from({ length: 6 }, (_, i) =>
      Array.from({ length: 6 }, (_, j) =>
        builder.read({ kind: 'tiles' }, loops.offset(base, (i * 6 + j) * tileStride)),
      ),
    );
  };
  if (role === 'forward') {
    const planeWidth = tileColumns * TILE;
    loops.overTiles(tileColumns, (image, row, column, tile) => {
      const firstRow = builder.call('mul', loops.join(image, block.tileRows, row), builder.number(TILE));
      const corner = loops.join(firstRow, planeWidth, builder.call('mul', column, builder.number(TILE)));
      loops.over('output', 0, outputs, (output) => {
        const base = loops.join(corner, outputs, output);
        const square = transformSquare(builder, 'output', readPoints(tile, output));
        square.forEach((line, i) => {
          line.forEach((value, j) => {
            builder.write({ kind: 'planes' }, loops.offset(base, (i * planeWidth + j) * outputs), value);
          });
        });
      });
    });
  } else {
    loops.over('channel', 0, channels, (channel) => {
      loops.over('output', 0, outputs, (output) => {
        const base = builder.call('mul', loops.join(channel, outputs, output), builder.number(9));
        const square = transformSquare(builder, 'weightGradient', readPoints(channel, output));
        square.forEach((line, i) => {
          line.forEach((value, j) => {
            builder.write({ kind: 'planes' }, loops.offset(base, i * 3 + j), value);
          });
        });
      });
    });
  }
  return builder.finish('inverseTransform', []);
}

function writePoints(loops: Loops, array: 'rows' | 'columns', place: Value, stride: number, points: Value[][]): void {
  points.flat().forEach((value, point) => {
    loops.builder.write({ kind: array }, loops.offset(place, point * stride), value);
  });
  if (points.flat().length !== POINTS) throw new Error('winograd: a transform to other than 36 points');
}
