import type { InstructionSet } from '../emitted-kernel.ts';
import type { Callable, FunctionBuilder, Local, ModuleBuilder } from '../encoder.ts';

/** Rows of a register tile. A panel of rows holds this many for each k, one after the other. */
export const TILE_ROWS = 4;

/** Columns of a register tile: sixteen where V8 joins neighbouring vectors to registers of eight, else eight. */
export function tileColumns(instructions: InstructionSet): number {
  return instructions === 'wide' ? 16 : 8;
}

/**
 * `multiply(rows, columns, tiles, rowPanels, columnPanels, depth, rowStride, columnStride, isFirst)`: multiplies all
 * panels of rows with all panels of columns (`...Stride` bytes from one panel to the next). The tile of column panel j
 * and row panel i has number j * rowPanels + i and is row-major. With `isFirst` tiles start at 0, otherwise they grow.
 */
export interface MicroKernel {
  readonly multiply: Callable;
}

/** How operands lie in memory, in bytes: from one row to the next, and from one k to the next. Panels where absent. */
export interface Strides {
  readonly row: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

const known = new WeakMap<ModuleBuilder, Map<string, MicroKernel>>();

/** The micro-kernel of a module for operands that lie so, written once. */
export function microKernel(
  module: ModuleBuilder,
  instructions: InstructionSet,
  given: Partial<Strides> = {},
): MicroKernel {
  const strides = { row: 4, rowStep: 4 * TILE_ROWS, columnStep: 4 * tileColumns(instructions), ...given };
  const kernels = known.get(module) ?? new Map<string, MicroKernel>();
  known.set(module, kernels);
  const key = `${strides.row} ${strides.rowStep} ${strides.columnStep}`;
  let kernel = kernels.get(key);
  if (!kernel) {
    kernel = { multiply: writeMultiply(module, instructions, strides) };
    kernels.set(key, kernel);
  }
  return kernel;
}

function writeMultiply(module: ModuleBuilder, instructions: InstructionSet, strides: Strides): Callable {
  const tiles = [true, false].map((isFirst) => writeTile(module, instructions, strides, isFirst));
  const [first, next] = tiles as [Callable, Callable];
  const f = module.function({ parameters: new Array<'i32'>(9).fill('i32') });
  const [rows, columns, tile, rowPanels, columnPanels, depth, rowStride, columnStride, isFirst] =
    f.parameters as unknown as Local[] & { length: 9 };
  if (!rows || !columns || !tile || !rowPanels || !columnPanels || !depth || !rowStride || !columnStride || !isFirst) {
    throw new Error('unreachable: nine parameters');
  }
  const [i, j, row] = f.locals('i32', 3) as [Local, Local, Local];
  const tileBytes = TILE_ROWS * tileColumns(instructions) * 4;
  f.for(j, { to: columnPanels }, () => {
    f.get(rows).set(row);
    f.for(i, { to: rowPanels }, () => {
      const call = (callee: Callable) => (): unknown => f.get(row).get(columns).get(tile).get(depth).call(callee);
      f.get(isFirst).if(call(first), call(next));
      f.get(tile).i32(tileBytes).op('i32.add').set(tile);
      f.get(row).get(rowStride).op('i32.add').set(row);
    });
    f.get(columns).get(columnStride).op('i32.add').set(columns);
  });
  return f;
}

/**
 * One tile, in a function of its own: registers are allocated best so. Sums are loaded before the loop and stored after
 * it with nothing between the stores, which is what V8 joins vectors by.
 */
function writeTile(module: ModuleBuilder, instructions: InstructionSet, strides: Strides, isFirst: boolean): Callable {
  const f = module.function({ parameters: ['i32', 'i32', 'i32', 'i32'] });
  const [rows, columns, tile, depth] = f.parameters as [Local, Local, Local, Local];
  const vectors = tileColumns(instructions) / 4;
  const sums = f.locals('v128', TILE_ROWS * vectors);
  sums.forEach((sum, i) => {
    if (isFirst) f.f32x4(0).set(sum);
    else
      f.get(tile)
        .memory('v128.load', 16 * i)
        .set(sum);
  });
  f.get(depth).if(() => {
    f.loop((again) => {
      writeStep(f, { rows, columns, sums, vectors, instructions, rowStride: strides.row });
      f.get(rows).i32(strides.rowStep).op('i32.add').set(rows);
      f.get(columns).i32(strides.columnStep).op('i32.add').set(columns);
      f.get(depth).i32(1).op('i32.sub').tee(depth).brIf(again);
    });
  });
  sums.forEach((sum, i) => {
    f.get(tile)
      .get(sum)
      .memory('v128.store', 16 * i);
  });
  return f;
}

interface StepOptions {
  readonly rows: Local;
  readonly columns: Local;
  readonly sums: readonly Local[];
  readonly vectors: number;
  readonly instructions: InstructionSet;
  /** Bytes from a row's element to the next row's. */
  readonly rowStride: number;
}

/** One k of a tile: sums[i, j] += rows[i] * columns[j]. */
function writeStep(f: FunctionBuilder, options: StepOptions): void {
  const { rows, columns, sums, vectors, instructions, rowStride } = options;
  const [row, ...column] = f.locals('v128', vectors + 1) as [Local, ...Local[]];
  column.forEach((vector, j) => {
    f.get(columns)
      .memory('v128.load', 16 * j)
      .set(vector);
  });
  for (let i = 0; i < TILE_ROWS; i++) {
    f.get(rows)
      .memory('v128.load32_splat', i * rowStride)
      .set(row);
    column.forEach((vector, j) => {
      const sum = sums[i * vectors + j] as Local;
      if (instructions === 'plain') f.get(sum).get(row).get(vector).op('f32x4.mul').op('f32x4.add').set(sum);
      else f.get(row).get(vector).get(sum).op('f32x4.relaxed_madd').set(sum);
    });
  }
}
