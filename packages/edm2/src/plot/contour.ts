import type { PlotPoint } from './drawing.ts';

/** Values on the corners of a grid of squares, row by row. */
export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly values: ArrayLike<number>;
}

/**
 * The loops around all that lies above a level, in columns and rows of the grid: marching squares with linear
 * interpolation. The ground outside counts as below, so that every line closes.
 *
 * @throws RangeError when the grid does not hold rows x columns values.
 *
 * @example
 * ```ts
 * const peak = { columns: 3, rows: 3, values: [0, 0, 0, 0, 1, 0, 0, 0, 0] };
 * contourLoops(peak, 0.5)[0]?.length; // 4
 * ```
 */
export function contourLoops(grid: Grid, level: number): PlotPoint[][] {
  const { columns, rows, values } = grid;
  if (values.length !== columns * rows) {
    throw new RangeError(`contourLoops: ${columns} x ${rows} needs ${columns * rows} values, got ${values.length}`);
  }
  const height = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= columns || y >= rows ? Number.NEGATIVE_INFINITY : values[y * columns + x]! - level;
  /** Each crossing's successor, with what is above on its right; by the edges that are crossed. */
  const next = new Map<string, { to: string; at: PlotPoint }>();
  for (let y = -1; y < rows; y++) {
    for (let x = -1; x < columns; x++) {
      // The corners and edges of a square, clockwise from the top left.
      const corners = [height(x, y), height(x + 1, y), height(x + 1, y + 1), height(x, y + 1)] as const;
      const edges = [`${x},${y}h`, `${x + 1},${y}v`, `${x},${y + 1}h`, `${x},${y}v`] as const;
      const enters: number[] = [];
      const leaves: number[] = [];
      for (let i = 0; i < 4; i++) {
        const [here, there] = [corners[i]! > 0, corners[(i + 1) % 4]! > 0];
        if (here && !there) enters.push(i);
        if (!here && there) leaves.push(i);
      }
      for (const enter of enters) {
        // At a saddle each line takes the nearer way, which keeps the two tops apart.
        const leave = leaves.length === 1 ? leaves[0]! : leaves.find((edge) => edge === (enter + 3) % 4)!;
        const corner = enter;
        const part = crossing(corners[corner]!, corners[(corner + 1) % 4]!);
        next.set(edges[enter]!, { to: edges[leave]!, at: along(x, y, enter, part) });
      }
    }
  }
  return loopsOf(next);
}

/** Where between a value above and one below the level is met. */
function crossing(above: number, below: number): number {
  return Number.isFinite(below) ? above / (above - below) : 0;
}

/** A point of a square's edge, from its first corner clockwise. */
function along(x: number, y: number, edge: number, part: number): PlotPoint {
  if (edge === 0) return [x + part, y];
  if (edge === 1) return [x + 1, y + part];
  return edge === 2 ? [x + 1 - part, y + 1] : [x, y + 1 - part];
}

function loopsOf(next: Map<string, { to: string; at: PlotPoint }>): PlotPoint[][] {
  const loops: PlotPoint[][] = [];
  for (const start of [...next.keys()]) {
    const loop: PlotPoint[] = [];
    for (let edge = start; next.has(edge); ) {
      const { to, at } = next.get(edge)!;
      next.delete(edge);
      loop.push(at);
      edge = to;
    }
    if (loop.length > 0) loops.push(loop);
  }
  return loops;
}
