import type { InstructionSet } from '../emitted-kernel.ts';
import type { Callable, FunctionBuilder, Local, ModuleBuilder, ValueType } from '../encoder.ts';
import type { Tile } from './tile.ts';

/** How operands lie in memory, in bytes: from one row to the next, and from one k to the next. Four columns are neighbours. */
export interface Strides {
  readonly row: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** What a product of matrices is to know beforehand. */
export interface ProductShape {
  readonly tile: Tile;
  readonly instructions: InstructionSet;
  /** Packed panels where absent: `tile.rows` rows, or `tile.columns` columns, for each k in turn. */
  readonly strides?: Partial<Strides>;
  /** The numbers of rows that it is called with. */
  readonly rowCounts: readonly number[];
}

/** Operands of `multiply`, all i32; strides in bytes. */
export interface Product<V> {
  /** Addresses of the first row, the first column, and the first sum. */
  readonly rows: V;
  readonly columns: V;
  readonly sums: V;
  readonly rowCount: V;
  /** Columns in units of tiles. */
  readonly columnPanels: V;
  /** Number of steps of k; 0 is possible. */
  readonly depth: V;
  /** From one tile's rows, or columns, to the next's. */
  readonly rowPanel: V;
  readonly columnPanel: V;
  /** From one row of sums to the next. Sums of a row are neighbours. */
  readonly sumRow: V;
  /** Whether sums start at 0; else they grow. */
  readonly isFirst: V;
}

const order: readonly (keyof Product<unknown>)[] = [
  'rows',
  'columns',
  'sums',
  'rowCount',
  'columnPanels',
  'depth',
  'rowPanel',
  'columnPanel',
  'sumRow',
  'isFirst',
];

/** The operands of `multiply` in the order in which it takes them. */
export function productOperands<V>(product: Product<V>): V[] {
  return order.map((name) => product[name]);
}

const written = new WeakMap<ModuleBuilder, Map<string, Callable>>();

/** A function of the module that is written when it is first asked for. */
function once(module: ModuleBuilder, key: string, write: () => Callable): Callable {
  const functions = written.get(module) ?? new Map<string, Callable>();
  written.set(module, functions);
  const known = functions.get(key);
  if (known) return known;
  const made = write();
  functions.set(key, made);
  return made;
}

/** The function that multiplies matrices of a shape: it takes `productOperands`. */
export function multiplication(
  module: ModuleBuilder,
  { tile, instructions, strides, rowCounts }: ProductShape,
): Callable {
  const all: Strides = { row: 4, rowStep: 4 * tile.rows, columnStep: 4 * tile.columns, ...strides };
  const rests = [...new Set(rowCounts.map((count) => count % tile.rows))]
    .filter((rest) => rest > 0)
    .sort((a, b) => a - b);
  const tileKey = `${tile.rows} ${tile.columns} ${tile.unroll} ${all.row} ${all.rowStep} ${all.columnStep}`;
  const tileOf = (rows: number, isFirst: boolean): Callable =>
    once(module, `tile ${rows} ${isFirst} ${tileKey}`, () => {
      // What is left over is little: its code should be, too.
      const unroll = rows === tile.rows ? tile.unroll : 1;
      return writeTile(module, { ...tile, rows, unroll }, instructions, all, isFirst);
    });
  const hasWhole = rowCounts.some((count) => count >= tile.rows);
  return once(module, `multiply ${rests} ${hasWhole} ${tileKey}`, () => {
    return writeMultiply(module, tile, hasWhole, rests, tileOf);
  });
}

type TileOf = (rows: number, isFirst: boolean) => Callable;

/** All rows with one panel of columns, which stays in the nearest cache, then with the next. */
function writeMultiply(
  module: ModuleBuilder,
  tile: Tile,
  hasWhole: boolean,
  rests: readonly number[],
  tileOf: TileOf,
): Callable {
  const tileCall = [tile.rows, ...rests].map((rows) => [true, false].map((isFirst) => tileOf(rows, isFirst)));
  const f = module.function({ parameters: order.map((): ValueType => 'i32') });
  const local = (name: keyof Product<unknown>): Local => f.parameters[order.indexOf(name)] as Local;
  const [rows, columns, sums, isFirst] = [local('rows'), local('columns'), local('sums'), local('isFirst')];
  module.name(f, 'multiply', order);
  const [j, left, row, sum] = f.locals('i32', 4) as [Local, Local, Local, Local];
  const callTile = ([first, next]: readonly Callable[]): void => {
    const call = (callee: Callable | undefined) => (): void => {
      f.get(row).get(columns).get(sum).get(local('depth')).get(local('sumRow'));
      f.call(callee as Callable);
    };
    f.get(isFirst).if(call(first), call(next));
  };
  f.for(j, { to: local('columnPanels') }, () => {
    f.get(rows).set(row).get(sums).set(sum).get(local('rowCount')).set(left);
    if (hasWhole) {
      f.block((done) => {
        f.loop((again) => {
          f.get(left).i32(tile.rows).op('i32.lt_s').brIf(done);
          callTile(tileCall[0] as Callable[]);
          f.get(local('sumRow')).i32(tile.rows).op('i32.mul').get(sum).op('i32.add').set(sum);
          f.get(row).get(local('rowPanel')).op('i32.add').set(row);
          f.get(left).i32(tile.rows).op('i32.sub').set(left).br(again);
        });
      });
    }
    rests.forEach((rest, i) => {
      f.get(left).i32(rest).op('i32.eq');
      f.if(() => callTile(tileCall[i + 1] as Callable[]));
    });
    f.get(sums)
      .i32(4 * tile.columns)
      .op('i32.add')
      .set(sums);
    f.get(columns).get(local('columnPanel')).op('i32.add').set(columns);
  });
  return f;
}

/**
 * One tile, in a function of its own: registers are allocated best so. Sums are loaded before the loop and stored after
 * it with nothing between the stores of a row, which is what V8 joins vectors by.
 */
function writeTile(
  module: ModuleBuilder,
  tile: Tile,
  instructions: InstructionSet,
  strides: Strides,
  isFirst: boolean,
): Callable {
  const f = module.function({ parameters: ['i32', 'i32', 'i32', 'i32', 'i32'] });
  module.name(f, `tile${tile.rows}x${tile.columns}`, ['rows', 'columns', 'sums', 'depth', 'sumRow']);
  const [rows, columns, target, depth, sumRow] = f.parameters as [Local, Local, Local, Local, Local];
  const vectors = tile.columns / 4;
  const sums = f.locals('v128', tile.rows * vectors);
  const row = f.local('i32');
  const eachRow = (visit: (sum: Local, offset: number) => void): void => {
    f.get(target).set(row);
    for (let i = 0; i < tile.rows; i++) {
      if (i > 0) f.get(row).get(sumRow).op('i32.add').set(row);
      for (let j = 0; j < vectors; j++) visit(sums[i * vectors + j] as Local, 16 * j);
    }
  };
  if (isFirst) for (const sum of sums) f.f32x4(0).set(sum);
  else eachRow((sum, offset) => f.get(row).memory('v128.load', offset).set(sum));
  const steps = (count: number): void => {
    const areLeft = (): unknown => f.get(depth).i32(count).op('i32.ge_s');
    areLeft();
    f.if(() => {
      f.loop((again) => {
        for (let step = 0; step < count; step++)
          writeStep(f, { rows, columns, sums, tile, instructions, strides, step });
        f.get(rows)
          .i32(count * strides.rowStep)
          .op('i32.add')
          .set(rows);
        f.get(columns)
          .i32(count * strides.columnStep)
          .op('i32.add')
          .set(columns);
        f.get(depth).i32(count).op('i32.sub').set(depth);
        areLeft();
        f.brIf(again);
      });
    });
  };
  if (tile.unroll > 1) steps(tile.unroll);
  steps(1);
  eachRow((sum, offset) => f.get(row).get(sum).memory('v128.store', offset));
  return f;
}

interface StepOptions {
  readonly rows: Local;
  readonly columns: Local;
  readonly sums: readonly Local[];
  readonly tile: Tile;
  readonly instructions: InstructionSet;
  readonly strides: Strides;
  /** Steps after the addresses' own. */
  readonly step: number;
}

/** One k of a tile: sums[i, j] += rows[i] * columns[j]. */
function writeStep(f: FunctionBuilder, { rows, columns, sums, tile, instructions, strides, step }: StepOptions): void {
  const vectors = tile.columns / 4;
  const [row, ...column] = f.locals('v128', vectors + 1) as [Local, ...Local[]];
  column.forEach((vector, j) => {
    f.get(columns)
      .memory('v128.load', step * strides.columnStep + 16 * j)
      .set(vector);
  });
  for (let i = 0; i < tile.rows; i++) {
    f.get(rows)
      .memory('v128.load32_splat', step * strides.rowStep + i * strides.row)
      .set(row);
    column.forEach((vector, j) => {
      const sum = sums[i * vectors + j] as Local;
      if (instructions === 'plain') f.get(sum).get(row).get(vector).op('f32x4.mul').op('f32x4.add').set(sum);
      else f.get(row).get(vector).get(sum).op('f32x4.relaxed_madd').set(sum);
    });
  }
  f.release(row, ...column);
}
