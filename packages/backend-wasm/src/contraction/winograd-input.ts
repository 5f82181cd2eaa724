import type { Guard, Linear } from '@evenkeel/tensor/kernel';
import { visitExprs } from '@evenkeel/tensor/kernel';
import { type Indices, LANES } from '../indices.ts';
import type { Value } from '../loop-values.ts';
import { forLaneGroups } from './lane-groups.ts';
import { isSequence } from './sequence.ts';
import type { Site } from './site.ts';
import { transpose } from './transpose.ts';
import type { WinogradShape } from './winograd-shape.ts';
import { POINTS, type TileRow, type Units } from './winograd-tiles.ts';
import { inBothDirections, inputTransform } from './winograd-transforms.ts';

/** Inputs under a row of tiles: four rows and as many columns as the tiles see, all channels of a place side by side. */
export function inputRowBytes({ channels }: WinogradShape, { tilesInRow }: Units): number {
  return 4 * (2 * tilesInRow + 2) * channels;
}

/** Evaluates the inputs under a row of tiles, each once. */
export function gatherInputs(site: Site, shape: WinogradShape, units: Units, row: TileRow, target: Value): void {
  const { builder, indices } = site;
  const { space } = indices;
  const { axes, height, width, channels } = shape;
  const rowBytes = inputRowBytes(shape, units);
  const isAlongX = alongX(site, shape);
  const [from, to] = inside(site, shape);
  site.loop(builder.i32(0), builder.i32(4), 4, (line) => {
    const address = site.address(target, line, rowBytes);
    const y = space.add(row.y, line);
    const inLine = site.at(1, row.position);
    // A place counts by the sum of its position and its tap alone.
    inLine.bind(axes.tapY, () => space.literal(0));
    inLine.bind(axes.tapX, () => space.literal(0));
    inLine.bind(axes.y, () => y);
    const at = (x: Linear): Value => site.address(address, x, 4 * channels);
    /** Places one by one, or without code where there are none. */
    const singles = (start: number, end: number): void => {
      if (start >= end) return;
      site.loop(builder.i32(0), builder.i32(end - start), end - start, (i) => {
        const x = space.add(i, space.literal(start));
        inLine.bind(axes.x, () => x);
        evaluateChannels(site, shape, inLine, at(x));
      });
    };
    const evaluate = (): void => {
      const groups = isAlongX ? Math.floor((to - from) / LANES) : 0;
      singles(0, from);
      if (groups > 0) {
        site.loop(builder.i32(0), builder.i32(groups), groups, (group) => {
          const x = space.add(space.mul(group, LANES), space.literal(from));
          evaluateSquares(site, shape, inLine, x, at(x));
        });
      }
      singles(from + LANES * groups, to);
      singles(to, width + 2);
    };
    const clear = (start: number, end: number): void => {
      if (start >= end) return;
      builder.effect([at(space.literal(start)), builder.i32(0), builder.i32(4 * channels * (end - start))], (f) => {
        f.memoryFill();
      });
    };
    // Tiles may reach over the edge, to where nothing must be read.
    if (height % 2 === 0) evaluate();
    else {
      const isInside = builder.op('i32.lt_s', indices.value(y), builder.i32(height + 2));
      builder.when(isInside, evaluate);
      builder.when(builder.op('i32.eqz', isInside), () => clear(0, width + 2));
    }
    clear(width + 2, 2 * units.tilesInRow + 2);
  });
}

/** Whether loads find neighbours along x rather than along channels. */
function alongX(site: Site, { axes, channels, width }: WinogradShape): boolean {
  if (axes.x === undefined) return false;
  let [alongX, alongChannels] = [0, 0];
  visitExprs([site.kernel.a], (expr) => {
    if (expr.kind !== 'load') return [];
    const whole = 2 ** 20;
    if (isSequence(site, { axes: [axes.x], sizes: [whole], count: whole }, expr.index)) alongX++;
    if (isSequence(site, { axes: [axes.channel], sizes: [channels], count: channels }, expr.index)) alongChannels++;
    return [];
  });
  return width >= LANES && alongX > alongChannels;
}

/** The places of a row, from ... to - 1, at which no guard on x fails: padding is outside. */
function inside(site: Site, { axes, width }: WinogradShape): readonly [number, number] {
  let [from, to] = [0, width + 2];
  const position = site.anywhere(1);
  position.bind(axes.tapX, () => position.space.literal(0));
  const x = site.indices.counter(width + 2, site.builder.i32(0));
  position.bind(axes.x, () => x);
  const narrow = (guards: readonly Guard[]): void => {
    for (const guard of guards) {
      if (guard.kind !== 'range') continue;
      const { terms, constant } = position.linear(guard.index);
      if (terms.length !== 1 || terms[0]?.atom !== x.terms[0]?.atom || terms[0]?.factor !== 1) continue;
      from = Math.max(from, guard.from - constant);
      to = Math.min(to, guard.to - constant);
    }
  };
  visitExprs([site.kernel.a], (expr) => {
    if (expr.kind === 'load' || expr.kind === 'guard') narrow(expr.guards);
    return [];
  });
  return from < to ? [from, to] : [0, width + 2];
}

/** The channels of one place. */
function evaluateChannels(site: Site, { axes, channels }: WinogradShape, position: Indices, target: Value): void {
  forLaneGroups(site, channels, (firsts) => {
    const values = firsts.map((first) => {
      const here = site.at(LANES, position);
      here.bind(axes.channel, (lane) => here.space.add(first, here.space.literal(lane)));
      const expressions = site.expressions(here);
      return expressions.vectors.splat(expressions.value(site.kernel.a), 'float32');
    });
    const address = site.address(target, firsts[0] as Linear, 4);
    values.forEach((value, i) => {
      site.builder.store('v128.store', address, value, 4 * LANES * i);
    });
  });
}

/** The channels of four neighbouring places, four by four. */
function evaluateSquares(site: Site, shape: WinogradShape, position: Indices, x: Linear, target: Value): void {
  const { builder } = site;
  const { axes, channels } = shape;
  const { space } = position;
  site.loop(builder.i32(0), builder.i32(channels / LANES), channels / LANES, (group) => {
    const first = space.mul(group, LANES);
    const rows = [0, 1, 2, 3].map((i) => {
      const here = site.at(LANES, position);
      here.bind(axes.channel, () => space.add(first, space.literal(i)));
      here.bind(axes.x, (lane) => space.add(x, space.literal(lane)));
      const expressions = site.expressions(here);
      return expressions.vectors.splat(expressions.value(site.kernel.a), 'float32');
    });
    const address = site.address(target, first, 4);
    transpose(site, rows).forEach((places, i) => {
      builder.store('v128.store', address, places, 4 * channels * i);
    });
  });
}

/** Where transformed inputs go: bytes from a tile to the next, and from a point to the next. */
export interface PointMatrix {
  readonly address: Value;
  readonly rowBytes: number;
  readonly pointBytes: number;
}

/** Transforms of the inputs under each tile of a row. */
export function transformInputs(
  site: Site,
  shape: WinogradShape,
  units: Units,
  source: Value,
  target: PointMatrix,
  tile: Linear,
): void {
  const { builder, indices } = site;
  const { space } = indices;
  const { channels } = shape;
  const rowBytes = inputRowBytes(shape, units);
  site.loop(builder.i32(0), builder.i32(units.tilesInRow), units.tilesInRow, (column) => {
    const from = site.address(source, column, 8 * channels);
    const to = site.address(target.address, space.add(tile, column), target.rowBytes);
    forLaneGroups(site, channels, (firsts) => {
      const [first] = firsts as [Linear];
      const read = site.address(from, first, 4);
      const results = firsts.map((_, vector) => {
        const inputs = Array.from({ length: POINTS }, (_, place) => {
          const offset = Math.floor(place / 4) * rowBytes + (place % 4) * 4 * channels + 4 * LANES * vector;
          return builder.load('v128.load', read, { offset, volatile: true });
        });
        return inBothDirections(builder, inputTransform, inputs);
      });
      const write = site.address(to, first, 4);
      storePoints(site, results, write, target.pointBytes);
    });
  });
}

/** Neighbouring vectors of a point one after the other. */
export function storePoints({ builder }: Site, vectors: readonly Value[][], address: Value, pointBytes: number): void {
  for (let point = 0; point < POINTS; point++) {
    vectors.forEach((points, vector) => {
      builder.store('v128.store', address, points[point] as Value, point * pointBytes + 4 * LANES * vector);
    });
  }
}
