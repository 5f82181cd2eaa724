import type { Index, Linear } from '@evenkeel/tensor/kernel';
import { type Indices, LANES } from '../indices.ts';
import type { Value } from '../loop-values.ts';
import type { Blocking } from './blocking.ts';
import { isSequence } from './sequence.ts';
import type { Site } from './site.ts';
import { transpose } from './transpose.ts';

/** The sums of one block, row by row, and where they belong. */
export interface Sums {
  /** The batch's axes are set. */
  readonly position: Indices;
  readonly address: Value;
  readonly rowBytes: number;
  /** How many of them there are, so many bytes apart, to be added. */
  readonly parts: number;
  readonly partBytes: number;
  readonly rowStart: Linear;
  readonly rowCount: Value;
  readonly columnStart: Linear;
  readonly columnCount: Value;
}

/** The two sides of a block. */
type Sides = Pick<Blocking, 'rows' | 'columns'>;

/** Evaluates the stores at each sum of a block. */
export function writeSums(site: Site, blocking: Sides, sums: Sums): void {
  const { builder } = site;
  const { rows, columns } = blocking;
  const zero = builder.i32(0);
  const whole = (count: Value): Value => builder.op('i32.and', count, builder.i32(-LANES));
  const columnEnd = whole(sums.columnCount);
  const indices = site.kernel.stores.map(({ index }) => index);
  const areAlong = (group: Blocking['rows']): boolean => {
    return indices.every((index: Index) => isSequence(site, group, index));
  };
  const isTransposed = rows.count >= LANES && !areAlong(columns) && areAlong(rows);
  const rowEnd = isTransposed ? whole(sums.rowCount) : sums.rowCount;
  if (columns.count >= LANES) {
    if (isTransposed) writeSquares(site, blocking, sums);
    else writeRows(site, blocking, sums);
  }
  if (columns.count % LANES !== 0) writeSingles(site, blocking, sums, [zero, rowEnd], [columnEnd, sums.columnCount]);
  if (isTransposed && rows.count % LANES !== 0) {
    writeSingles(site, blocking, sums, [rowEnd, sums.rowCount], [zero, sums.columnCount]);
  }
}

/** A sum at `address`, or four: of all parts, in their order. */
function load({ builder }: Site, { parts, partBytes }: Sums, op: 'v128.load' | 'f32.load', address: Value): Value {
  const add = op === 'v128.load' ? 'f32x4.add' : 'f32.add';
  return Array.from({ length: parts }, (_, part) => {
    return builder.load(op, address, { offset: part * partBytes, volatile: true });
  }).reduce((sum, part) => builder.op(add, sum, part));
}

const groups = ({ builder }: Site, count: Value): Value => builder.op('i32.shr_u', count, builder.i32(2));

/** Four neighbours of a row at a time. */
function writeRows(site: Site, { rows, columns }: Sides, sums: Sums): void {
  const { builder } = site;
  const { position, rowStart, columnStart } = sums;
  const { space } = position;
  site.loop(builder.i32(0), sums.rowCount, rows.block, (row) => {
    const inRow = site.at(LANES, position);
    site.place(inRow, rows, () => space.add(rowStart, row));
    const address = site.address(sums.address, row, sums.rowBytes);
    site.loop(builder.i32(0), groups(site, sums.columnCount), Math.ceil(columns.block / LANES), (group) => {
      const column = space.mul(group, LANES);
      const here = site.at(LANES, inRow);
      site.place(here, columns, (lane) => space.add(columnStart, space.add(column, space.literal(lane))));
      store(site, here, load(site, sums, 'v128.load', site.address(address, column, 4)));
    });
  });
}

/** Four by four sums at a time, turned round: results are neighbours along rows. */
function writeSquares(site: Site, { rows, columns }: Sides, sums: Sums): void {
  const { builder } = site;
  const { position, rowStart, columnStart } = sums;
  const { space } = position;
  site.loop(builder.i32(0), groups(site, sums.rowCount), Math.ceil(rows.block / LANES), (rowGroup) => {
    const row = space.mul(rowGroup, LANES);
    const rowAddresses = [0, 1, 2, 3].map((i) => {
      return site.address(sums.address, space.add(row, space.literal(i)), sums.rowBytes);
    });
    const inRows = site.at(LANES, position);
    site.place(inRows, rows, (lane) => space.add(rowStart, space.add(row, space.literal(lane))));
    site.loop(builder.i32(0), groups(site, sums.columnCount), Math.ceil(columns.block / LANES), (columnGroup) => {
      const column = space.mul(columnGroup, LANES);
      const vectors = rowAddresses.map((address) => load(site, sums, 'v128.load', site.address(address, column, 4)));
      transpose(site, vectors).forEach((value, i) => {
        const here = site.at(LANES, inRows);
        site.place(here, columns, () => space.add(columnStart, space.add(column, space.literal(i))));
        store(site, here, value);
      });
    });
  });
}

function writeSingles(
  site: Site,
  { rows, columns }: Sides,
  sums: Sums,
  [rowFrom, rowTo]: readonly [Value, Value],
  [columnFrom, columnTo]: readonly [Value, Value],
): void {
  const { position, rowStart, columnStart } = sums;
  const { space } = position;
  site.loop(rowFrom, rowTo, rows.block, (row) => {
    const address = site.address(sums.address, row, sums.rowBytes);
    site.loop(columnFrom, columnTo, columns.block, (column) => {
      const indices = site.at(1, position);
      site.place(indices, rows, () => space.add(rowStart, row));
      site.place(indices, columns, () => space.add(columnStart, column));
      store(site, indices, load(site, sums, 'f32.load', site.address(address, column, 4)));
    });
  });
}

function store(site: Site, indices: Indices, sum: Value): void {
  const expressions = site.expressions(indices, sum);
  const writes = site.kernel.stores.map((one) => expressions.prepare(one));
  for (const write of writes) write();
}
