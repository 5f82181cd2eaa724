import { axesOf, directFactor, type Linear } from '../kernel/index-math.ts';
import type { Contraction, Expr, Guard, Index } from '../kernel/ir.ts';
import { visitExprs } from '../kernel/walk.ts';
import { elementCount } from '../types/shape.ts';
import { BLOCK, PACKED } from './block-memory.ts';
import { IndexValues } from './index-values.ts';
import { LoopBuilder } from './loop-builder.ts';

/** Points at which a 3 x 3 convolution of 4 x 4 outputs is multiplied. */
export const POINTS = 36;
export const TILE = 4;

/** A contraction that is a 3 x 3 convolution of stride 1, or the gradient of its weights. */
export interface WinogradShape {
  readonly role: 'forward' | 'weightGradient';
  readonly images: number;
  readonly channels: number;
  readonly outputs: number;
  /** Size of the convolution's output (of its gradient, for `weightGradient`). */
  readonly height: number;
  readonly width: number;
  /** Axis numbers; a batch of one image has no axis. */
  readonly axes: {
    readonly image: number | undefined;
    readonly y: number;
    readonly x: number;
    readonly channel: number;
    readonly tapY: number;
    readonly tapX: number;
    readonly output: number;
  };
  /** Images and rows of tiles that are worked on at a time. */
  readonly imagesPerBlock: number;
  readonly tileRowsPerBlock: number;
}

/** The shape of a contraction that the fast algorithm takes, found by how its operands are indexed. */
export function winogradShape(kernel: Contraction): WinogradShape | undefined {
  const { batch, m, n, k, operands } = kernel;
  if (n.length !== 1 || operands.some(({ access }) => access === 'inout')) return undefined;
  const [firstM, firstN, firstK] = [batch.length, batch.length + m.length, batch.length + m.length + 1];
  const isForward = isTaps(k);
  if (!isForward && !isTaps(m)) return undefined;
  const [positions, first] = isForward ? [m, firstM] : [k, firstK];
  const [taps, firstTap] = isForward ? [k, firstK] : [m, firstM];
  if (positions.length < 2 || positions.length > 3) return undefined;
  const y = first + positions.length - 2;
  const axes = {
    image: positions.length === 3 ? first : undefined,
    y,
    x: y + 1,
    channel: firstTap,
    tapY: firstTap + 1,
    tapX: firstTap + 2,
    output: firstN,
  };
  const [height, width] = positions.slice(-2) as [number, number];
  const images = positions.length === 3 ? (positions[0] as number) : 1;
  const [channels, outputs] = [taps[0] as number, n[0] as number];
  // Fewer channels do not pay for the transforms, nor do images that fill few of their tiles.
  if (channels < 8 || outputs < 3 || elementCount([...batch, ...positions]) === 0) return undefined;
  const [tileRows, tileColumns] = [Math.ceil(height / TILE), Math.ceil(width / TILE)];
  if (tileRows * tileColumns * TILE * TILE > 2 * height * width) return undefined;
  if (POINTS * (channels + 1) * (outputs + 3) > Math.min(PACKED, BLOCK * BLOCK)) return undefined;
  const tiles = Math.floor(PACKED / (POINTS * Math.max(channels + 1, outputs + 3))) - 1;
  if (tiles < tileColumns || !slides(kernel, axes)) return undefined;
  const perImage = tileRows * tileColumns;
  const imagesPerBlock = perImage <= tiles ? Math.min(images, Math.floor(tiles / perImage)) : 1;
  const tileRowsPerBlock = perImage <= tiles ? tileRows : Math.floor(tiles / tileColumns);
  const role = isForward ? 'forward' : 'weightGradient';
  return { role, images, channels, outputs, height, width, axes, imagesPerBlock, tileRowsPerBlock };
}

function isTaps(sizes: readonly number[]): boolean {
  return sizes.length === 3 && sizes[1] === 3 && sizes[2] === 3;
}

/** Whether operand `a` sees nothing of a position and its tap but their sum. */
function slides({ batch, m, n, k, a, operands }: Contraction, axes: WinogradShape['axes']): boolean {
  const indices = new IndexValues(new LoopBuilder(() => false), [...batch, ...m, ...n, ...k], operands);
  const isSum = (linear: Linear): boolean => {
    return [
      [axes.y, axes.tapY],
      [axes.x, axes.tapX],
    ].every(([position, tap]) => {
      const isDirect = linear.terms.every(({ atom }) => {
        if (atom.kind === 'axis') return true;
        const inside = axesOf(atom.base);
        if (atom.kind === 'load') for (const guard of atom.guards) axesOf(guard.index, inside);
        return !inside.has(position as number) && !inside.has(tap as number);
      });
      return isDirect && directFactor(linear, position as number) === directFactor(linear, tap as number);
    });
  };
  let holds = true;
  const check = (index: Index): void => {
    holds &&= isSum(indices.linear(index));
  };
  const checkGuards = (guards: readonly Guard[]): void => {
    for (const { index } of guards) check(index);
  };
  visitExprs([a], (expr: Expr) => {
    if (expr.kind === 'load' || expr.kind === 'index') check(expr.index);
    if (expr.kind === 'load' || expr.kind === 'guard') checkGuards(expr.guards);
  });
  return holds;
}
