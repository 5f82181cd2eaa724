import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { customVjp } from '../src/autograd/custom-vjp.ts';
import { where } from '../src/tensor/arithmetic.ts';
import { tensor } from '../src/tensor/creation.ts';
import { State } from '../src/tensor/state.ts';
import { Tensor } from '../src/tensor/tensor.ts';
import {
  buildGraph,
  type GraphStep,
  gradcheck,
  gradgradcheck,
  graphRecipes,
  graphStepKinds,
  recipeLeaves,
} from '../src/testing/index.ts';
import { seededValues } from '../src/testing/seeded.ts';

const random = (shape: readonly number[], seed: number): Tensor<'float64'> =>
  tensor(
    Float64Array.from(
      seededValues(
        'float64',
        shape.reduce((n, size) => n * size, 1),
        seed,
      ),
    ),
    { shape, dtype: 'float64' },
  );

describe('gradcheck', () => {
  test('passes true derivatives, first and second, of several inputs', async () => {
    const inputs = [random([2, 3], 1), random([3, 2], 2), random([2], 3)];
    const fn = (x: Tensor, w: Tensor, b: Tensor): Tensor => x.matmul(w).add(b).tanh();
    await gradcheck(fn, inputs);
    await gradgradcheck(fn, inputs);
  });

  test('reads what the function closes over from its device', async () => {
    using state = new State(random([3], 5));
    await state.value.add(0).data();
    await gradcheck((x) => x.mul(state.value).sin(), [random([3], 6)]);
  });

  test('names the input and element of a false derivative', async () => {
    const half = (x: Tensor): Tensor =>
      customVjp(
        [x],
        (t) => t.square(),
        (g) => [g.mul(x)],
      );
    await expect(
      gradcheck((a, x) => half(x).add(a), [random([2], 1), tensor([1, -3], { dtype: 'float64' })]),
    ).rejects.toThrow(/input 1 \[2\], element 0 \(1\): grad gives .*, differences give/);
  });

  test('allows for the rounding of large losses, and for no more', async () => {
    // Rows of a softmax sum to 1: the gradient is 0, and differences of the sum are nothing but rounding.
    await gradcheck((x) => x.softmax().mul(1e6).add(1e6), [random([4, 6], 7)]);
    const thousandth = (x: Tensor): Tensor =>
      customVjp(
        [x],
        (t) => t.mul(2).add(1e3),
        (g) => [g.mul(2.002)],
      );
    await expect(gradcheck(thousandth, [random([2], 8)])).rejects.toThrow('input 0 [2], element 0');
  });

  test('takes smaller steps where a kink is nearer than one, which excuse nothing', async () => {
    // 3e-6 and 2e-8 from the kink of relu, steps are 1e-5.
    const near = tensor([3e-6, -2e-8, 1], { dtype: 'float64' });
    await gradcheck((x) => x.relu(), [near]);
    const double = (x: Tensor): Tensor =>
      customVjp(
        [x],
        (t) => t.relu(),
        (g) => [where(x.greater(0), g.mul(2), 0)],
      );
    await expect(gradcheck(double, [near])).rejects.toThrow('input 0 [3], element 0');
    // A jump is no kink: no step makes differences agree.
    await expect(gradcheck((x) => x.round(), [tensor([0.5 + 1e-9], { dtype: 'float64' })])).rejects.toThrow(
      'element 0',
    );
  });

  test('notices a derivative that is wrong only at second order', async () => {
    // The right value, detached from the graph: its own derivative is lost.
    const cube = (x: Tensor): Tensor =>
      customVjp(
        [x],
        (t) => t.mul(t).mul(t),
        (g) => [g.mul(x.square().mul(3).detach())],
      );
    const x = random([3], 4);
    await gradcheck(cube, [x]);
    await expect(gradgradcheck(cube, [x])).rejects.toThrow('gradcheck: input 0');
  });

  test('asks for float64', async () => {
    await expect(gradcheck((x) => x, [tensor([1, 2])])).rejects.toThrow("input 0 is float32. Use .cast('float64')");
    await expect(gradcheck((x) => x.cast('float32'), [random([2], 1)])).rejects.toThrow('gave float32');
  });
});

describe('gradients of random graphs agree with differences', () => {
  const jumping: readonly GraphStep['kind'][] = ['choose', 'count', 'detach', 'normalize'];
  const isSmooth = ({ kind, variant }: GraphStep): boolean =>
    !jumping.includes(kind) && !(kind === 'unary' && variant % 10 > 6);
  const smooth = graphRecipes({ dtype: 'float64', maxSteps: 4 }).filter(({ steps }) => steps.every(isSmooth));

  test.each(graphStepKinds.filter((kind) => !jumping.includes(kind)))('through %s', async (kind) => {
    const step = fc
      .record({
        kind: fc.constant(kind),
        first: fc.nat({ max: 1 }),
        second: fc.nat({ max: 5 }),
        variant: fc.nat({ max: 39 }),
      })
      .filter(isSmooth);
    await fc.assert(
      fc.asyncProperty(smooth, step, async (drawn, between) => {
        const [head, ...tail] = drawn.steps;
        const recipe = { ...drawn, steps: [head!, between, ...tail] };
        const fn = (...given: Tensor[]): Tensor => {
          const { outputs } = buildGraph(
            recipe,
            given.map(({ node }) => node),
          );
          return outputs.map((node) => new Tensor(node).sum()).reduce((total, term) => total.add(term));
        };
        await gradcheck(
          fn,
          recipeLeaves(recipe).map((node) => new Tensor<'float64'>(node)),
        );
      }),
      { numRuns: 25, includeErrorInReport: true },
    );
  });
});
