import { describe, expect, test } from 'vitest';
import { isOp, topologicalOrder } from '../src/graph/node.ts';
import { checkpoint, customVjp, Generator, grad, State, type Tensor, tensor, vjp } from '../src/index.ts';
import { gradcheck, gradgradcheck } from '../src/testing/gradcheck.ts';
import { of, sample, values } from './values.ts';

describe('grad', () => {
  const x = of('float64', [1, 2, 3]);

  test('gives what it is asked for in the same form', () => {
    const loss = x.square().sum();
    expect(values(grad(loss, x))).toEqual([2, 4, 6]);
    const [first] = grad(loss, [x]);
    expect(values(first as Tensor)).toEqual([2, 4, 6]);
    const { a } = grad(loss, { a: x });
    expect(values(a)).toEqual([2, 4, 6]);
  });

  test('adds up all ways to a tensor', () => {
    expect(values(grad(x.mul(x).add(x).sum(), x))).toEqual([3, 5, 7]);
    const middle = x.square();
    const [dx, dm] = grad(middle.mul(middle).sum(), [x, middle]);
    expect(values(dm as Tensor)).toEqual([2, 8, 18]);
    expect(values(dx as Tensor)).toEqual([4, 32, 108]);
  });

  test('visits a shared step once', () => {
    let y: Tensor = x;
    for (let i = 0; i < 40; i++) y = y.add(y);
    const gradient = grad(y.sum(), x);
    expect(values(gradient)).toEqual([2 ** 40, 2 ** 40, 2 ** 40]);
    expect(topologicalOrder([gradient.node]).length).toBeLessThan(60);
  });

  test('does not overflow the stack on deep graphs', () => {
    let y: Tensor = x;
    for (let i = 0; i < 20_000; i++) y = y.add(x);
    expect(values(grad(y.sum(), x))).toEqual([20_001, 20_001, 20_001]);
  });

  test('is zero for what does not matter', () => {
    const other = sample([2, 2]);
    expect(values(grad(x.sum(), other))).toEqual([0, 0, 0, 0]);
    expect(values(grad(x.mul(x.detach()).sum(), x))).toEqual([1, 2, 3]);
    expect(values(grad(x.detach().sum(), x))).toEqual([0, 0, 0]);
    expect(values(grad(x.less(2).cast('float64').sum(), x))).toEqual([0, 0, 0]);
    expect(values(grad(x.cast('int32').cast('float64').sum(), x))).toEqual([0, 0, 0]);
  });

  test('of itself is 1, and of a tensor that is the loss', () => {
    const loss = x.sum();
    expect(values(grad(loss, loss))).toEqual([1]);
  });

  test('has gradients of its own', () => {
    const slope = grad(x.pow(4).sum(), x);
    const curvature = grad(slope.sum(), x);
    expect(values(curvature)).toEqual([12, 48, 108]);
    expect(values(grad(curvature.sum(), x))).toEqual([24, 48, 72]);
  });

  test('keeps the dtype', () => {
    const single = tensor([1, 2]);
    const gradient: Tensor<'float32'> = grad(single.cast('float64').square().sum(), single);
    expect(gradient.dtype).toBe('float32');
    expect(values(gradient)).toEqual([2, 4]);
  });

  test('refuses losses that are no real scalars, and inputs without gradients', () => {
    expect(() => grad(x, x)).toThrow('grad: the loss must be a scalar of real numbers, got Tensor(float64 [3])');
    expect(() => grad(of('int32', [1]).sum(), x)).toThrow('got Tensor(int32 [])');
    expect(() => grad(x.sum(), of('int32', [1]))).toThrow('grad: int32 [1] holds no real numbers');
    expect(() => grad(x.sum(), { w: 3 as unknown as Tensor })).toThrow("grad: 'w' is not a tensor");
  });
});

describe('vjp', () => {
  test('of several outputs, each with its gradient', () => {
    const x = of('float64', [1, 2]);
    const [gx] = vjp([x.square(), x.sum()], [of('float64', [1, 10]), of('float64', [5], [])], [x]);
    expect(values(gx as Tensor)).toEqual([7, 45]);
    expect(() => vjp([x], [x.sum()], [x])).toThrow(
      'vjp: output 0 is Tensor(float64 [2]), its gradient is Tensor(float64 [])',
    );
  });
});

/** A state whose first value is still a graph, so that the reference can follow it. */
const stateOf = (x: Tensor) => new State(x.add(0));

describe('states are leaves', () => {
  test('whatever was assigned to them', () => {
    using weight = stateOf(of('float64', [2, 3]));
    weight.assign(weight.value.mul(10));
    const loss = weight.value.square().sum();
    expect(values(grad(loss, weight.value))).toEqual([40, 60]);
  });

  test('an earlier value is another leaf', () => {
    using weight = stateOf(of('float64', [2, 3]));
    const before = weight.value;
    weight.assign(before.mul(10));
    expect(values(grad(weight.value.sum(), before))).toEqual([0, 0]);
    expect(values(grad(weight.value.sum(), weight.value))).toEqual([1, 1]);
  });
});

describe('customVjp', () => {
  test('uses the given rule, and differentiates it again', async () => {
    const cube = (x: Tensor) =>
      customVjp(
        [x],
        (x) => x.mul(x).mul(x).detach(),
        (gradient, { inputs: [x] }) => [gradient.mul(x.square()).mul(3)],
      );
    await gradcheck(cube, [sample([3])]);
    await gradgradcheck(cube, [sample([3])]);
  });

  test('sees its output, and may leave inputs out', () => {
    const [a, b] = [of('float64', [1, 2]), of('float64', [3, 4])];
    const y = customVjp(
      [a, b],
      (a, b) => a.exp().add(b),
      (gradient, { output }) => [gradient.mul(output.detach()), undefined],
    );
    const [ga, gb] = grad(y.sum(), [a, b]);
    expect(values(ga as Tensor)).toEqual([Math.E + 3, Math.exp(2) + 4]);
    expect(values(gb as Tensor)).toEqual([0, 0]);
  });

  test('names the input whose gradient does not fit', () => {
    const x = sample([3]);
    const wrong = customVjp([x], (x) => x.exp(), (g) => [g.sum()], { name: 'mine' }); // biome-ignore format: one line
    expect(() => grad(wrong.sum(), x)).toThrow('mine: the gradient of input 0 is float64 [], the input is float64 [3]');
  });
});

describe('checkpoint', () => {
  const block = (x: Tensor, w: Tensor) => x.matmul(w).tanh().matmul(w).sigmoid();

  test('changes neither values nor gradients, once and twice', async () => {
    const [x, w] = [sample([2, 3], 1), sample([3, 3], 2)];
    expect(values(checkpoint(block)(x, w))).toEqual(values(block(x, w)));
    const plain = grad(block(x, w).sum(), [x, w]).map(values);
    expect(grad(checkpoint(block)(x, w).sum(), [x, w]).map(values)).toEqual(plain);
    await gradgradcheck((x, w) => checkpoint(block)(x, w), [x, w]);
  });

  test('sends gradients to what the function closes over', () => {
    using weight = stateOf(sample([3, 3], 2));
    const [x, bias] = [sample([2, 3], 1), sample([3], 3)];
    const fn = (x: Tensor) => block(x, weight.value).add(bias);
    const wrt = [x, weight.value, bias];
    expect(grad(checkpoint(fn)(x).sum(), wrt).map(values)).toEqual(grad(fn(x).sum(), wrt).map(values));
  });

  test('computes intermediate values again, after the gradient', () => {
    const [x, w] = [sample([2, 3], 1), sample([3, 3], 2)];
    const loss = checkpoint(block)(x, w).sum();
    const forward = topologicalOrder([loss.node]);
    const gradient = grad(loss, x);
    const all = topologicalOrder([gradient.node]);
    const again = all.filter((node) => node.op === 'tanh');
    expect(again).toHaveLength(1);
    expect(forward).not.toContain(again[0]);
    const barriers = all.filter((node) => isOp(node, 'barrier'));
    expect(barriers).toHaveLength(2);
    for (const barrier of barriers) expect(barrier.sources).toHaveLength(2);
  });

  test('draws the same random numbers again', () => {
    const random = new Generator(1);
    const x = sample([4]);
    const noisy = checkpoint((x: Tensor) => x.mul(random.normal([4], { dtype: 'float64' })));
    const y = noisy(x);
    const noise = values(y.div(x));
    values(grad(y.sum(), x)).forEach((value, i) => {
      expect(value).toBeCloseTo(noise[i] as number, 14);
    });
    expect(random.state().draws).toBe(2);
  });

  test('nests, and passes a function that does nothing', () => {
    const x = sample([3]);
    const outer = checkpoint((x: Tensor) => checkpoint((x: Tensor) => x.square().exp())(x.sin()).tanh());
    const plain = x.sin().square().exp().tanh();
    expect(values(grad(outer(x).sum(), x))).toEqual(values(grad(plain.sum(), x)));
    expect(checkpoint((x: Tensor) => x)(x)).toBe(x);
  });
});
