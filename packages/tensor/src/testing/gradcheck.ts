import { grad } from '../autograd/grad.ts';
import { isOp, type Node, topologicalOrder } from '../graph/node.ts';
import { createNode } from '../graph/primitives.ts';
import { evaluateAsync } from '../graph/reference.ts';
import { readNodes } from '../runtime/realize.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { HostArray } from '../types/dtype.ts';
import { elementCount, type Shape, showShape } from '../types/shape.ts';
import { evaluateBounded } from './error-bound.ts';
import { seededValues } from './seeded.ts';

/** A differentiable function of float64 tensors. */
export type Differentiable = (...inputs: Tensor<'float64'>[]) => Tensor;

/** How {@link gradcheck} compares. */
export interface GradcheckOptions {
  /** Step of the central differences, relative to elements larger than 1; 1e-5 unless told. */
  readonly eps?: number;
  /** Relative tolerance; 1e-5 unless told. */
  readonly rtol?: number;
  /** Absolute tolerance, beside what rounding does to the differences; 1e-7 unless told. */
  readonly atol?: number;
  /** Seed of the random directions; 1 unless told. */
  readonly seed?: number;
}

type Leaf = Float64Array;

function leaf(values: Leaf, shape: Shape): Tensor<'float64'> {
  const storage = { dtype: 'float64', length: values.length, host: values } as const;
  return new Tensor(createNode('buffer', [], { storage }, { shape, dtype: 'float64' }));
}

/** A weight for every output element, so that one number stands for all of them and no element's error cancels. */
function projection(like: Shape, seed: number): Leaf {
  return Float64Array.from(seededValues('float64', elementCount(like), seed), (x) => x + Math.sign(x || 1) / 2);
}

/** A function under test with its inputs, evaluated node by node in float64. */
class Subject {
  readonly #fn: Differentiable;
  readonly #shapes: readonly Shape[];
  readonly #seed: number;
  readonly #device = new Map<Node, HostArray>();

  constructor(fn: Differentiable, shapes: readonly Shape[], seed: number) {
    this.#fn = fn;
    this.#shapes = shapes;
    this.#seed = seed;
  }

  inputs(values: readonly Leaf[]): Tensor<'float64'>[] {
    return values.map((list, i) => leaf(list, this.#shapes[i] as Shape));
  }

  /** sum(fn(inputs) * weights) */
  loss(inputs: readonly Tensor<'float64'>[]): Tensor {
    const output = this.#fn(...inputs);
    if (output.dtype !== 'float64') {
      throw new Error(`gradcheck: the function gave ${output.dtype}, differences need float64. Cast its constants`);
    }
    return output.mul(leaf(projection(output.shape, this.#seed), output.shape)).sum();
  }

  async values(tensors: readonly Tensor[]): Promise<Leaf[]> {
    const nodes = tensors.map(({ node }) => node);
    await this.#fetch(nodes);
    return evaluateAsync(nodes, { leafValue: (node) => this.#device.get(node) });
  }

  async lossAt(values: readonly Leaf[]): Promise<number> {
    return ((await this.values([this.loss(this.inputs(values))]))[0] as Leaf)[0] as number;
  }

  /** How far rounding may put the loss at `values`, by running error analysis; 0 where that cannot tell. */
  async roundingAt(values: readonly Leaf[]): Promise<number> {
    const { node } = this.loss(this.inputs(values));
    await this.#fetch([node]);
    const [bounded] = await evaluateBounded([node], { leafValue: (leaf) => this.#device.get(leaf) });
    const error = bounded?.error[0] as number;
    return Number.isFinite(error) ? error : 0;
  }

  /** What the function reads beside its inputs may live on a device. */
  async #fetch(nodes: readonly Node[]): Promise<void> {
    const missing = topologicalOrder(nodes).filter(
      (node) =>
        !this.#device.has(node) &&
        ((isOp(node, 'buffer') && node.attributes.storage.host === undefined) ||
          (isOp(node, 'cell') && node.sources.length === 0)),
    );
    if (missing.length === 0) return;
    const values = await readNodes(missing);
    missing.forEach((node, i) => {
      this.#device.set(node, values[i] as HostArray);
    });
  }
}

/** `values` with element `at` of input `input` moved by `by`. */
function moved(values: readonly Leaf[], input: number, at: number, by: number): Leaf[] {
  return values.map((list, i) => (i === input ? list.with(at, (list[at] as number) + by) : list));
}

/** A central difference as a function of the step, and how far what is right may be from it. */
interface Difference {
  at(step: number): Promise<number>;
  tolerance(a: number, b: number, step: number): number;
}

/**
 * A difference that `analytic` disagrees with; undefined where it agrees. A kink within the step, or strong curvature,
 * makes smaller steps give another difference, and those decide. They cannot excuse a derivative that is false: then
 * differences agree with one another.
 */
async function disagreement(
  analytic: number,
  { at, tolerance }: Difference,
  step: number,
): Promise<number | undefined> {
  const agree = (a: number, b: number, by: number): boolean => Math.abs(a - b) <= tolerance(a, b, by);
  let numeric = await at(step);
  for (const by of [step, step / 10, step / 100, step / 1000]) {
    if (agree(analytic, numeric, by)) return undefined;
    const finer = await at(by / 10);
    if (agree(numeric, finer, by / 10)) break;
    numeric = finer;
  }
  return numeric;
}

/**
 * Holds `grad` to central differences in float64, element by element of every input, and to the dot-product identity
 * d/dt <v, fn(x + t u)> = <J^T v, u> along a random direction. Everything is evaluated by the float64 reference, so a
 * failure is the fault of a derivative and of nothing else. Outputs of any shape are weighted at random and summed.
 *
 * @param inputs float64 tensors, not on kinks or jumps of the function: where one is nearer than the step of the
 * differences, smaller steps decide.
 * @throws naming the input and the element.
 * @example
 * const random = new Generator(1);
 * const x = random.normal([2, 3], { dtype: 'float64' });
 * const w = random.normal([3, 2], { dtype: 'float64' });
 * await gradcheck((x, w) => x.matmul(w).tanh(), [x, w]);
 */
export async function gradcheck(
  fn: Differentiable,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): Promise<void> {
  const { eps = 1e-5, rtol = 1e-5, atol = 1e-7, seed = 1 } = options;
  const foreign = inputs.findIndex(({ dtype }) => dtype !== 'float64');
  if (foreign >= 0) throw new Error(`gradcheck: input ${foreign} is ${inputs[foreign]?.dtype}. Use .cast('float64')`);
  const subject = new Subject(
    fn,
    inputs.map(({ shape }) => shape),
    seed,
  );
  const values = (await readNodes(inputs.map(({ node }) => node))) as Leaf[];
  const leaves = subject.inputs(values);
  const gradients = await subject.values(grad(subject.loss(leaves), leaves));
  const rounding = await subject.roundingAt(values);

  for (const [input, gradient] of gradients.entries()) {
    if (gradient.length !== (values[input] as Leaf).length) {
      throw new Error(
        `gradcheck: the gradient of input ${input} has ${gradient.length} elements, the input has ${(values[input] as Leaf).length}`,
      );
    }
    for (const [at, analytic] of gradient.entries()) {
      const lossAt = (by: number): Promise<number> => subject.lossAt(moved(values, input, at, by));
      const step = eps * Math.max(1, Math.abs((values[input] as Leaf)[at] as number));
      const difference: Difference = {
        at: async (by) => ((await lossAt(by)) - (await lossAt(-by))) / (2 * by),
        tolerance: (a, b, by) => atol + rounding / by + rtol * Math.max(Math.abs(a), Math.abs(b)),
      };
      const numeric = await disagreement(analytic, difference, step);
      if (numeric === undefined) continue;
      throw new Error(
        `gradcheck: input ${input} ${showShape((inputs[input] as Tensor).shape)}, element ${at} (${(values[input] as Leaf)[at]}): grad gives ${analytic}, differences give ${numeric}`,
      );
    }
  }
  await dotProduct(subject, values, gradients, rounding, options);
}

async function dotProduct(
  subject: Subject,
  values: readonly Leaf[],
  gradients: readonly Leaf[],
  rounding: number,
  options: GradcheckOptions,
): Promise<void> {
  const { eps = 1e-5, rtol = 1e-5, atol = 1e-7, seed = 1 } = options;
  const directions = values.map((list, i) => seededValues('float64', list.length, seed + 1 + i));
  const along = (t: number): Leaf[] =>
    values.map((list, i) => list.map((x, k) => x + t * (directions[i]?.[k] as number)));
  let analytic = 0;
  let size = 0;
  gradients.forEach((gradient, i) => {
    gradient.forEach((g, k) => {
      analytic += g * (directions[i]?.[k] as number);
      size += Math.abs(g * (directions[i]?.[k] as number));
    });
  });
  const difference: Difference = {
    at: async (by) => ((await subject.lossAt(along(by))) - (await subject.lossAt(along(-by)))) / (2 * by),
    tolerance: (_a, _b, by) => atol + rounding / by + rtol * size,
  };
  const numeric = await disagreement(analytic, difference, eps);
  if (numeric === undefined) return;
  throw new Error(
    `gradcheck: along a random direction grad gives ${analytic}, differences give ${numeric}, though each element alone agrees`,
  );
}

/**
 * {@link gradcheck} of the gradient itself: second derivatives, along random directions, against differences of first
 * ones.
 *
 * @example
 * const x = new Generator(1).normal([5], { dtype: 'float64' });
 * await gradgradcheck((x) => x.square().mul(x), [x]);
 */
export async function gradgradcheck(
  fn: Differentiable,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): Promise<void> {
  const { seed = 1 } = options;
  const first = new Subject(
    fn,
    inputs.map(({ shape }) => shape),
    seed,
  );
  const slope: Differentiable = (...leaves) => {
    const terms = grad(first.loss(leaves), leaves).map((gradient, i) =>
      gradient.mul(leaf(projection(gradient.shape, seed + 100 + i), gradient.shape)).sum(),
    );
    return terms.reduce((total, term) => total.add(term));
  };
  await gradcheck(slope, inputs, { ...options, seed: seed + 1 });
}
