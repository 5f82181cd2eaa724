import type { InstructionSet } from '../emitted-kernel.ts';
import type { Callable, FunctionBuilder, Local, ModuleBuilder, ValueType } from '../encoder.ts';
import type { Tile } from './tile.ts';

/**
 * Lines of the cache, in bytes, that are read ahead with each tile: the machine does not see by itself that the next panel
 * follows, and large panels come from far.
 */
const LINE = 64;
const LINES_AHEAD = 16;

/**
 * How operands lie in memory, in bytes: from one row to the next, and from one k to the next; with taps, from one group of
 * so many k to the next. Four columns are neighbours.
 */
export interface Strides {
  readonly row: number;
  readonly rowStep: number;
  readonly columnStep: number;
  /** Where the k of a group are, from its first place on: `depth` is a multiple of their number. */
  readonly taps?: readonly Tap[] | undefined;
  /** The side whose places are in a table, for each k in bytes from its first place on; its step does not count then. */
  readonly listed?: 'row' | 'column' | undefined;
}

/** Bytes to what a step of k reads. */
export interface Tap {
  readonly row: number;
  readonly column: number;
}

/** What a product of matrices is to know beforehand. */
export interface ProductShape {
  readonly tile: Tile;
  readonly instructions: InstructionSet;
  /** Packed panels where absent: `tile.rows` rows, or `tile.columns` columns, for each k in turn. */
  readonly strides?: Partial<Strides>;
  /** The numbers of rows that it is called with. */
  readonly rowCounts: readonly number[];
  /** Whether sums always start at 0. */
  readonly isWhole?: boolean;
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
  /** Whether sums start at 0; else at those that are at `earlier`, so far from one row to the next. */
  readonly isFirst: V;
  readonly earlier: V;
  readonly earlierRow: V;
  /** Address of the table of places, of i32, where a side's are listed. */
  readonly list: V;
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
  'earlier',
  'earlierRow',
  'list',
];

/** The operands of `multiply` in the order in which it takes them. Sums grow where they are if nothing else is said. */
export function productOperands<V>(
  product: Omit<Product<V>, 'earlier' | 'earlierRow' | 'list'> & Partial<Product<V>>,
): V[] {
  const all: Product<V> = { earlier: product.sums, earlierRow: product.sumRow, list: product.rows, ...product };
  return order.map((name) => all[name]);
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
  { tile, instructions, strides, rowCounts, isWhole = false }: ProductShape,
): Callable {
  const all: Strides = { row: 4, rowStep: 4 * tile.rows, columnStep: 4 * tile.columns, ...strides };
  const rests = [...new Set(rowCounts.map((count) => count % tile.rows))]
    .filter((rest) => rest > 0)
    .sort((a, b) => a - b);
  const taps = all.taps?.map(({ row, column }) => `${row}+${column}`).join() ?? all.listed;
  const tileKey = `${tile.rows} ${tile.columns} ${tile.unroll} ${all.row} ${all.rowStep} ${all.columnStep} ${taps}`;
  const tileOf = (rows: number, isFirst: boolean): Callable =>
    once(module, `tile ${rows} ${isFirst} ${tileKey}`, () => {
      // What is left over is little: its code should be, too.
      const unroll = rows === tile.rows ? tile.unroll : 1;
      return writeTile(module, { ...tile, rows, unroll }, instructions, all, isFirst);
    });
  const hasWhole = rowCounts.some((count) => count >= tile.rows);
  // Panels lie one after the other; what is read in place is near anyway.
  const readsAhead = strides?.columnStep === undefined;
  return once(module, `multiply ${rests} ${hasWhole} ${isWhole} ${readsAhead} ${tileKey}`, () => {
    const starts = isWhole ? [true] : [true, false];
    return writeMultiply(module, tile, { hasWhole, rests, starts, readsAhead }, tileOf);
  });
}

type TileOf = (rows: number, isFirst: boolean) => Callable;

/** All rows with one panel of columns, which stays in the nearest cache, then with the next. */
function writeMultiply(
  module: ModuleBuilder,
  tile: Tile,
  {
    hasWhole,
    rests,
    starts,
    readsAhead,
  }: {
    readonly hasWhole: boolean;
    readonly rests: readonly number[];
    readonly starts: readonly boolean[];
    readonly readsAhead: boolean;
  },
  tileOf: TileOf,
): Callable {
  const tileCall = [tile.rows, ...rests].map((rows) => starts.map((isFirst) => tileOf(rows, isFirst)));
  const f = module.function({ parameters: order.map((): ValueType => 'i32') });
  const local = (name: keyof Product<unknown>): Local => f.parameters[order.indexOf(name)] as Local;
  const [rows, columns, sums, earlier] = [local('rows'), local('columns'), local('sums'), local('earlier')];
  module.name(f, 'multiply', order);
  const [j, left, row, sum, before] = f.locals('i32', 5) as [Local, Local, Local, Local, Local];
  const callTile = ([first, next]: readonly Callable[]): void => {
    const operands = (): FunctionBuilder => {
      return f.get(row).get(columns).get(sum).get(local('depth')).get(local('sumRow')).get(local('list'));
    };
    const start = (): unknown => operands().call(first as Callable);
    if (!next) start();
    else f.get(local('isFirst')).if(start, () => operands().get(before).get(local('earlierRow')).call(next));
  };
  const nextTile = (place: Local, distance: keyof Product<unknown>): void => {
    f.get(local(distance)).i32(tile.rows).op('i32.mul').get(place).op('i32.add').set(place);
  };
  const [ahead, lastAhead] = f.locals('i32', 2) as [Local, Local];
  /** All lines of the next panel are to be read while this one is at work; behind the last there is none. */
  const startAhead = (): void => {
    f.get(columns).get(local('columnPanel')).op('i32.add').tee(ahead);
    f.get(local('columnPanel'))
      .i32(LINE * LINES_AHEAD)
      .op('i32.sub')
      .op('i32.add')
      .set(lastAhead);
    f.get(j).i32(1).op('i32.add').get(local('columnPanels')).op('i32.ge_s');
    f.get(local('columnPanel'))
      .i32(LINE * LINES_AHEAD)
      .op('i32.lt_s')
      .op('i32.or');
    f.if(() => f.i32(0).set(lastAhead));
  };
  const readAhead = (): void => {
    f.get(ahead).get(lastAhead).op('i32.le_u');
    f.if(() => {
      for (let i = 0; i < LINES_AHEAD; i++)
        f.get(ahead)
          .memory('i32.load', LINE * i)
          .op('drop');
      f.get(ahead)
        .i32(LINE * LINES_AHEAD)
        .op('i32.add')
        .set(ahead);
    });
  };
  const nextPanel = (place: Local): void => {
    f.get(place)
      .i32(4 * tile.columns)
      .op('i32.add')
      .set(place);
  };
  f.for(j, { to: local('columnPanels') }, () => {
    f.get(rows).set(row).get(sums).set(sum).get(earlier).set(before).get(local('rowCount')).set(left);
    if (readsAhead) startAhead();
    if (hasWhole) {
      f.block((done) => {
        f.loop((again) => {
          f.get(left).i32(tile.rows).op('i32.lt_s').brIf(done);
          if (readsAhead) readAhead();
          callTile(tileCall[0] as Callable[]);
          nextTile(sum, 'sumRow');
          nextTile(before, 'earlierRow');
          f.get(row).get(local('rowPanel')).op('i32.add').set(row);
          f.get(left).i32(tile.rows).op('i32.sub').set(left).br(again);
        });
      });
    }
    rests.forEach((rest, i) => {
      f.get(left).i32(rest).op('i32.eq');
      f.if(() => callTile(tileCall[i + 1] as Callable[]));
    });
    nextPanel(sums);
    nextPanel(earlier);
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
  const names = ['rows', 'columns', 'sums', 'depth', 'sumRow', 'list', ...(isFirst ? [] : ['earlier', 'earlierRow'])];
  const f = module.function({ parameters: names.map((): ValueType => 'i32') });
  module.name(f, `tile${tile.rows}x${tile.columns}`, names);
  const [rows, columns, target, depth, sumRow, list] = f.parameters as [Local, Local, Local, Local, Local, Local];
  const [, , , , , , earlier, earlierRow] = f.parameters as Local[];
  const vectors = tile.columns / 4;
  const sums = f.locals('v128', tile.rows * vectors);
  const row = f.local('i32');
  const eachRow = (from: Local, distance: Local, visit: (sum: Local, offset: number) => void): void => {
    f.get(from).set(row);
    for (let i = 0; i < tile.rows; i++) {
      if (i > 0) f.get(row).get(distance).op('i32.add').set(row);
      for (let j = 0; j < vectors; j++) visit(sums[i * vectors + j] as Local, 16 * j);
    }
  };
  if (earlier && earlierRow) {
    eachRow(earlier, earlierRow, (sum, offset) => f.get(row).memory('v128.load', offset).set(sum));
  } else for (const sum of sums) f.f32x4(0).set(sum);
  const { taps, listed } = strides;
  const place = listed && f.local('i32');
  const places = {
    rows: listed === 'row' ? (place as Local) : rows,
    columns: listed === 'column' ? (place as Local) : columns,
  };
  const steps = (group: readonly Tap[], turns: number): void => {
    const count = group.length;
    const areLeft = (): unknown => f.get(depth).i32(count).op('i32.ge_s');
    areLeft();
    f.if(() => {
      f.loop((again) => {
        if (place) {
          f.get(list).memory('i32.load');
          f.get(listed === 'row' ? rows : columns)
            .op('i32.add')
            .set(place);
        }
        for (const tap of group) {
          writeStep(f, { ...places, sums, tile, instructions, rowDistance: strides.row, tap });
        }
        const advance = (from: Local, by: number): unknown => f.get(from).i32(by).op('i32.add').set(from);
        if (listed !== 'row') advance(rows, turns * strides.rowStep);
        if (listed !== 'column') advance(columns, turns * strides.columnStep);
        if (listed) advance(list, 4);
        f.get(depth).i32(count).op('i32.sub').set(depth);
        areLeft();
        f.brIf(again);
      });
    });
  };
  const unrolled = (count: number): Tap[] => {
    return Array.from({ length: count }, (_, step) => ({
      row: step * strides.rowStep,
      column: step * strides.columnStep,
    }));
  };
  if (taps) steps(taps, 1);
  else {
    if (tile.unroll > 1 && !listed) steps(unrolled(tile.unroll), tile.unroll);
    steps(unrolled(1), 1);
  }
  eachRow(target, sumRow, (sum, offset) => f.get(row).get(sum).memory('v128.store', offset));
  return f;
}

interface StepOptions {
  readonly rows: Local;
  readonly columns: Local;
  readonly sums: readonly Local[];
  readonly tile: Tile;
  readonly instructions: InstructionSet;
  readonly rowDistance: number;
  readonly tap: Tap;
}

/** One k of a tile: sums[i, j] += rows[i] * columns[j]. */
function writeStep(
  f: FunctionBuilder,
  { rows, columns, sums, tile, instructions, rowDistance, tap }: StepOptions,
): void {
  const vectors = tile.columns / 4;
  const [row, ...column] = f.locals('v128', vectors + 1) as [Local, ...Local[]];
  column.forEach((vector, j) => {
    f.get(columns)
      .memory('v128.load', tap.column + 16 * j)
      .set(vector);
  });
  for (let i = 0; i < tile.rows; i++) {
    f.get(rows)
      .memory('v128.load32_splat', tap.row + i * rowDistance)
      .set(row);
    column.forEach((vector, j) => {
      const sum = sums[i * vectors + j] as Local;
      if (instructions === 'plain') f.get(sum).get(row).get(vector).op('f32x4.mul').op('f32x4.add').set(sum);
      else f.get(row).get(vector).get(sum).op('f32x4.relaxed_madd').set(sum);
    });
  }
  f.release(row, ...column);
}
