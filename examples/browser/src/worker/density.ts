import type { GaussianMixture } from '@evenkeel/edm2';
import type { Density, PlaneView } from '../protocol/train.ts';

/** Points of a side. */
const resolution = 192;
/** Seen through noise of this level, or the thinnest twigs would fall between the points. */
const smoothing = 0.012;
/** A component counts up to this many standard deviations away. */
const reach = 4.5;

/** The logarithm of a mixture's density over a square, on the host: it is wanted once, whatever trains. */
export function densityOver(mixture: GaussianMixture, view: PlaneView): Density {
  const density = new Float32Array(resolution * resolution);
  const step = view.side / (resolution - 1);
  const total = mixture.components.reduce((sum, { weight }) => sum + weight, 0);
  const at = (value: number) => Math.min(resolution - 1, Math.max(0, Math.round(value / step)));
  for (const { weight, mean, covariance } of mixture.components) {
    const [xx, xy, yy] = [covariance[0] + smoothing ** 2, covariance[1], covariance[2] + smoothing ** 2];
    const determinant = xx * yy - xy * xy;
    const height = weight / (total * 2 * Math.PI * Math.sqrt(determinant));
    const [x0, y0] = [mean[0] - view.left, mean[1] - view.bottom];
    const [width, breadth] = [reach * Math.sqrt(xx), reach * Math.sqrt(yy)];
    for (let row = at(y0 - breadth); row <= at(y0 + breadth); row++) {
      for (let column = at(x0 - width); column <= at(x0 + width); column++) {
        const [dx, dy] = [column * step - x0, row * step - y0];
        const distance = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / determinant;
        density[(resolution - 1 - row) * resolution + column]! += height * Math.exp(-distance / 2);
      }
    }
  }
  return { columns: resolution, rows: resolution, values: density.map(Math.log), view };
}
