import { type GaussianComponent, GaussianMixture } from './gaussian-mixture.ts';
import { MersenneTwister } from './mersenne-twister.ts';

/** Which of the two trees: one of them, or both together. */
export type ToyClass = 'A' | 'B' | 'AB';

/** The classes by name, for option lists. */
export const toyClasses: readonly ToyClass[] = ['A', 'B', 'AB'];

/** What the data of the published figure is made with. */
const tree = {
  seed: 2,
  depth: 7,
  start: [0.003, 0.0325],
  /** From the tree's own coordinates to those of the plane. */
  scale: [1.3136, 1.3844],
  angles: { A: Math.PI / 4, B: (5 * Math.PI) / 4 },
  length: 0.292,
  shrink: 0.8,
  thickness: 0.012,
  jitter: 0.2,
  blobs: 8,
  blobLength: 0.06,
} as const;

type Point = readonly [number, number];

/**
 * The data of the autoguidance paper's two-dimensional example: two classes, each a tree whose 127 branches are rows of
 * eight normal blobs, ever thinner and lighter. Both together have a standard deviation of about 0.5.
 *
 * Class A is the published one, number by number. Class B goes on in the same random stream, from the opposite angle.
 *
 * Source: arXiv 2406.02507, appendix C.
 *
 * @example
 * ```ts
 * fractalTree('A').count; // 1016
 * ```
 */
export function fractalTree(which: ToyClass): GaussianMixture {
  const random = new MersenneTwister(tree.seed);
  const components = { A: grow(tree.angles.A, random), B: grow(tree.angles.B, random) };
  return new GaussianMixture(which === 'AB' ? [...components.A, ...components.B] : components[which]);
}

function grow(angle: number, random: MersenneTwister): GaussianComponent[] {
  const components: GaussianComponent[] = [];
  const jittered = (value: number) => value * (1 + tree.jitter * random.normal());
  const branch = (start: Point, angle: number, depth: number): void => {
    // Twigs that are not grown any more still draw their angle.
    if (depth === tree.depth) return;
    const shrink = tree.shrink ** depth;
    const length = jittered(tree.length * shrink);
    const along: Point = [Math.cos(angle), Math.sin(angle)];
    const at = (part: number): Point => [start[0] + along[0] * length * part, start[1] + along[1] * length * part];
    const covariance = blob(along, length * tree.blobLength, tree.thickness * shrink);
    for (let i = 0; i < tree.blobs; i++) {
      const [x, y] = at(0.07 + (0.86 * i) / (tree.blobs - 1));
      const mean: Point = [x * tree.scale[0], y * tree.scale[1]];
      components.push({ weight: length * 0.5 ** depth, mean, covariance });
    }
    for (const side of [1, -1]) branch(at(1), angle + jittered(side * 0.7 ** depth), depth + 1);
  };
  branch(tree.start, angle, 0);
  return components;
}

/** The covariance of a blob: standard deviations along its branch and across. */
function blob(along: Point, length: number, thickness: number): GaussianComponent['covariance'] {
  const [sx, sy] = tree.scale;
  const axes = [
    [along[0] * length * sx, along[1] * length * sy],
    [-along[1] * thickness * sx, along[0] * thickness * sy],
  ] as const;
  const entry = (i: 0 | 1, j: 0 | 1) => axes[0][i] * axes[0][j] + axes[1][i] * axes[1][j];
  return [entry(0, 0), entry(0, 1), entry(1, 1)];
}
