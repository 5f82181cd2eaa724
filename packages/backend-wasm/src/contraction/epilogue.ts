import type { Linear } from '@evenkeel/tensor/kernel';
import { type Indices, LANES } from '../indices.ts';
import type { Value } from '../loop-values.ts';
import type { Blocking } from './blocking.ts';
import { TILE_ROWS } from './micro-kernel.ts';
import { transpose } from './packing.ts';
import type { Site } from './site.ts';

/** The sums of one block, as tiles, and where they belong. */
export interface Sums {
  /** The batch's axes are set. */
  readonly position: Indices;
  readonly tiles: Value;
  readonly rowPanels: Value;
  readonly rowStart: Linear;
  readonly rowCount: Value;
  readonly columnStart: Linear;
  readonly columnCount: Value;
}

/** Evaluates the stores at each sum of a block. */
export function writeSums(site: Site, blocking: Blocking, sums: Sums): void {
  const { builder } = site;
  const { rows, columns } = blocking;
  const zero = builder.i32(0);
  const whole = (count: Value): Value => builder.op('i32.and', count, builder.i32(-LANES));
  const [rowEnd, columnEnd] = [whole(sums.rowCount), whole(sums.columnCount)];
  if (rows.count >= LANES && columns.count >= LANES) writeBlocks(site, blocking, sums);
  if (columns.count % LANES !== 0) writeSingles(site, blocking, sums, [zero, rowEnd], [columnEnd, sums.columnCount]);
  if (rows.count % LANES !== 0) writeSingles(site, blocking, sums, [rowEnd, sums.rowCount], [zero, sums.columnCount]);
}

/** Address of a sum: the part of its row, then that of its column. */
function sumAddress(site: Site, { columns }: Blocking, sums: Sums, row: Linear, column: Linear): Value {
  const { builder, indices } = site;
  const { space } = indices;
  const tileBytes = 4 * TILE_ROWS * columns.width;
  const panel = indices.value(space.floorDiv(column, columns.width));
  const columnBytes = builder.op('i32.mul', builder.op('i32.mul', panel, sums.rowPanels), builder.i32(tileBytes));
  const base = site.address(builder.op('i32.add', sums.tiles, columnBytes), space.mod(column, columns.width), 4);
  const inRows = space.add(
    space.mul(space.floorDiv(row, TILE_ROWS), tileBytes),
    space.mul(space.mod(row, TILE_ROWS), 4 * columns.width),
  );
  return indices.value(inRows, base);
}

/** Four by four sums at a time; lanes lie along columns or rows, as results do. */
function writeBlocks(site: Site, blocking: Blocking, sums: Sums): void {
  const { builder } = site;
  const { rows, columns } = blocking;
  const { position, rowStart, columnStart } = sums;
  const { space } = position;
  const groups = (count: Value): Value => builder.op('i32.shr_u', count, builder.i32(2));
  site.loop(builder.i32(0), groups(sums.rowCount), Math.ceil(rows.block / LANES), (rowGroup) => {
    const row = space.mul(rowGroup, LANES);
    site.loop(builder.i32(0), groups(sums.columnCount), Math.ceil(columns.block / LANES), (columnGroup) => {
      const column = space.mul(columnGroup, LANES);
      const address = sumAddress(site, blocking, sums, row, column);
      const vectors = [0, 1, 2, 3].map((i) => {
        return builder.load('v128.load', address, { offset: 4 * i * columns.width, volatile: true });
      });
      const plus = (linear: Linear, i: number): Linear => space.add(linear, space.literal(i));
      const [rowHere, columnHere] = [space.add(rowStart, row), space.add(columnStart, column)];
      const place = (lanesAlong: 'rows' | 'columns', element: number): Indices => {
        const indices = site.at(LANES, position);
        const [lanes, other, laneStart, otherStart] =
          lanesAlong === 'rows' ? [rows, columns, rowHere, columnHere] : [columns, rows, columnHere, rowHere];
        site.place(indices, other, () => plus(otherStart, element));
        site.place(indices, lanes, (lane) => plus(laneStart, lane));
        return indices;
      };
      const isSequence = (indices: Indices): boolean => {
        const [store] = site.kernel.stores;
        const steps = store && indices.steps(indices.linears(store.index));
        return steps?.every((step, lane) => step === lane) ?? false;
      };
      const alongRows = !isSequence(place('columns', 0)) && isSequence(place('rows', 0));
      const values = alongRows ? transpose(site, vectors) : vectors;
      values.forEach((value, element) => {
        store(site, place(alongRows ? 'rows' : 'columns', element), value);
      });
    });
  });
}

function writeSingles(
  site: Site,
  blocking: Blocking,
  sums: Sums,
  [rowFrom, rowTo]: readonly [Value, Value],
  [columnFrom, columnTo]: readonly [Value, Value],
): void {
  const { rows, columns } = blocking;
  const { position, rowStart, columnStart } = sums;
  const { space } = position;
  site.loop(rowFrom, rowTo, rows.block, (row) => {
    site.loop(columnFrom, columnTo, columns.block, (column) => {
      const indices = site.at(1, position);
      site.place(indices, rows, () => space.add(rowStart, row));
      site.place(indices, columns, () => space.add(columnStart, column));
      const address = sumAddress(site, blocking, sums, row, column);
      store(site, indices, site.builder.load('f32.load', address, { volatile: true }));
    });
  });
}

function store(site: Site, indices: Indices, sum: Value): void {
  const expressions = site.expressions(indices, sum);
  const writes = site.kernel.stores.map((one) => expressions.prepare(one));
  for (const write of writes) write();
}
