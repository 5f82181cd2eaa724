import { resizeBicubic } from '../../metrics/resize.ts';
import type { CaseRunner, Computed } from '../reference-case.ts';

/** Antialiased bicubic resizing to squares; a result's name ends with its side, as `down7`. */
export const resize: CaseRunner = async (reference) => {
  const { shape, data } = await reference.numbers('x');
  if (shape.length !== 4) throw new Error(`in/x has shape [${shape}], needs [N, C, H, W]`);
  const planes = { shape: shape as [number, number, number, number], data: data as Float32Array };
  const results: Computed = new Map();
  for (const name of reference.names('out')) {
    const side = Number(/\d+$/.exec(name)?.[0]);
    if (!(side > 0)) throw new Error(`out/${name} does not end with the size to resize to`);
    results.set(`out/${name}`, { shape: [...shape.slice(0, 2), side, side], data: resizeBicubic(planes, side, side) });
  }
  return results;
};
