import {
  type Backend,
  commit,
  compile,
  currentBackend,
  Generator,
  memory,
  type Tensor,
  tensor,
  withBackend,
} from '@evenkeel/tensor';
import { guardLeaks } from '@evenkeel/tensor/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Adam,
  arrayDataset,
  checkFinite,
  cosineSchedule,
  DataLoader,
  findNaN,
  Linear,
  Module,
  Sequential,
  SGD,
  Tanh,
} from '../src/index.ts';

guardLeaks({ beforeEach, afterEach });

/** The current backend with its compiled plans counted. */
function counting(backend: Backend): { backend: Backend; plans: () => number } {
  let plans = 0;
  return {
    plans: () => plans,
    backend: {
      name: backend.name,
      capabilities: backend.capabilities,
      supports: (kernel) => backend.supports(kernel),
      allocate: (value) => backend.allocate(value),
      compile: (plan) => {
        plans++;
        return backend.compile(plan);
      },
      run: (executable, call) => backend.run(executable, call),
      dispose: () => backend.dispose(),
    },
  };
}

function mlp(seed: number): Sequential {
  const generator = new Generator(seed);
  return new Sequential(new Linear(2, 16, { generator }), new Tanh(), new Linear(16, 1, { generator }));
}

/** Mean binary cross-entropy of logits, from the field's stable form. */
function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  return logits.relu().sub(logits.mul(labels)).add(logits.abs().neg().exp().add(1).log()).mean();
}

/** Two arms of a spiral, `[points, 2]` with classes 0 and 1. */
function spiral(points: number) {
  const positions = new Float32Array(points * 2);
  const labels = new Float32Array(points);
  for (let point = 0; point < points; point++) {
    const arm = point % 2;
    const t = (point / points) * 4 + 0.5;
    positions[2 * point] = (t / 2) * Math.cos(t + arm * Math.PI);
    positions[2 * point + 1] = (t / 2) * Math.sin(t + arm * Math.PI);
    labels[point] = arm;
  }
  return arrayDataset({
    positions: { data: positions, shape: [points, 2] },
    labels: { data: labels, shape: [points, 1] },
  });
}

describe('training', () => {
  it('learns XOR', async () => {
    using model = mlp(1);
    using optimizer = new Adam(model, { learningRate: 0.05 });
    const inputs = tensor([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    const labels = tensor([[0], [1], [1], [0]]);
    for (let step = 0; step < 200; step++) {
      optimizer.step(crossEntropy(model.call(inputs), labels));
      await commit();
    }
    const probabilities = await model.call(inputs).sigmoid().data();
    expect([...probabilities].map(Math.round)).toEqual([0, 1, 1, 0]);
    expect(await crossEntropy(model.call(inputs), labels).item()).toBeLessThan(0.02);
  });

  it('learns a spiral in batches, with one plan for all steps and constant memory', async () => {
    const counted = counting(currentBackend());
    await withBackend(counted.backend, async () => {
      using model = mlp(2);
      using optimizer = new Adam(model, { betas: [0.9, 0.99], sanitize: true });
      const data = spiral(120);
      const loader = new DataLoader(data, { batchSize: 40, seed: 3 });
      const rate = cosineSchedule(1000, { from: 0.03 });
      await commit();
      const bytes: number[] = [];
      let plans = 0;
      const losses: number[] = [];
      for (let step = 0; step < 1000; step++) {
        const { positions, labels } = await loader.next();
        const loss = crossEntropy(model.call(positions), labels);
        optimizer.step(loss, { learningRate: rate(step) });
        await commit(loss);
        losses.push(await loss.item());
        if (step === 0) plans = counted.plans();
        if (step > 0) bytes.push(memory().total);
      }
      expect(counted.plans()).toBe(plans);
      expect(new Set(bytes).size).toBe(1);
      expect(losses[0]).toBeGreaterThan(0.5);
      const all = data.batch(Array.from({ length: 120 }, (_, index) => index));
      const { positions, labels } = await all;
      expect(await crossEntropy(model.call(positions), labels).item()).toBeLessThan(0.05);
    });
  });

  it('resumes bit for bit from state dicts and the position', async () => {
    const data = spiral(50);
    const run = async (
      model: Sequential,
      optimizer: Adam,
      loader: DataLoader<Record<string, Tensor>>,
      steps: number,
    ) => {
      for (let step = 0; step < steps; step++) {
        const { positions, labels } = await loader.next();
        optimizer.step(crossEntropy(model.call(positions as Tensor), labels as Tensor));
        await commit();
      }
    };
    const host = async (states: Map<string, Tensor>) => {
      const saved = new Map<string, Tensor>();
      for (const [name, value] of states)
        saved.set(name, tensor(await value.data(), { shape: value.shape, dtype: value.dtype }));
      return saved;
    };
    using whole = mlp(4);
    using wholeOptimizer = new Adam(whole);
    const wholeLoader = new DataLoader(data, { batchSize: 8, seed: 1 });
    await run(whole, wholeOptimizer, wholeLoader, 9);
    using resumed = mlp(5);
    using resumedOptimizer = new Adam(resumed);
    resumed.loadStateDict(await host(whole.stateDict()));
    resumedOptimizer.loadStateDict(await host(wholeOptimizer.stateDict()));
    const resumedLoader = new DataLoader(data, { batchSize: 8, seed: 1, position: wholeLoader.position });
    await run(whole, wholeOptimizer, wholeLoader, 7);
    await run(resumed, resumedOptimizer, resumedLoader, 7);
    for (const [name, value] of whole.stateDict()) {
      expect(await (resumed.stateDict().get(name) as Tensor).data()).toEqual(await value.data());
    }
  });
});

describe('a compiled step', () => {
  it('counts steps and takes rates as the plain one does', async () => {
    const data = spiral(8).batch([0, 1, 2, 3, 4, 5, 6, 7]);
    const { positions, labels } = await data;
    const rates = [0, 0.1, 0.03, 0.3, 0.01];
    using plain = mlp(7);
    using plainOptimizer = new Adam(plain);
    const expected: number[] = [];
    for (const learningRate of rates) {
      const loss = crossEntropy(plain.call(positions), labels);
      plainOptimizer.step(loss, { learningRate });
      await commit(loss);
      expected.push(await loss.item());
    }
    using replayed = mlp(7);
    using optimizer = new Adam(replayed);
    const step = compile((x: Tensor, y: Tensor, learningRate: Tensor) => {
      const loss = crossEntropy(replayed.call(x), y);
      optimizer.step(loss, { learningRate });
      return loss;
    });
    for (const [index, rate] of rates.entries()) {
      using loss = await step(positions, labels, rate);
      expect(await loss.item()).toBeCloseTo(expected[index] as number, 5);
    }
    expect(await (optimizer.stateDict().get('step') as Tensor).item()).toBe(rates.length);
    for (const [name, value] of plain.stateDict()) {
      const [a, b] = [await value.data(), await (replayed.stateDict().get(name) as Tensor).data()];
      for (const [i, weight] of a.entries()) expect(Math.abs(weight - (b[i] as number))).toBeLessThan(1e-5);
    }
  });
});

class Log extends Module {
  forward(x: Tensor): Tensor {
    return x.log();
  }
}

class Faulty extends Module {
  readonly first = new Linear(2, 2, { generator: new Generator(1) });
  readonly middle = new Sequential(new Tanh(), new Log());
  readonly last = new Linear(2, 1, { generator: new Generator(1) });
  forward(x: Tensor): Tensor {
    return this.last.call(this.middle.call(this.first.call(x)));
  }
}

describe('findNaN and checkFinite', () => {
  it('name the first module that makes NaN of finite inputs', async () => {
    using model = new Faulty();
    const x = tensor([
      [1, 2],
      [-1, -2],
    ]);
    const found = await findNaN(model, () => model.call(x));
    expect(found).toMatchObject({ path: 'Faulty.middle.1', fromInput: false, states: [] });
    const loss = model.call(x).mean();
    await expect(checkFinite(loss, { model, rerun: () => model.call(x) })).rejects.toThrow(
      new Error(
        'loss: is NaN, first non-finite output in Faulty.middle.1 (Log); its inputs were finite. Lower the learning rate, or sanitize the gradients',
      ),
    );
    await expect(checkFinite(loss)).rejects.toThrow('loss: is NaN. Pass { model, rerun } to checkFinite');
  });

  it('tell data and weights apart', async () => {
    using model = new Faulty();
    const infinite = tensor([[Number.POSITIVE_INFINITY, 0]]);
    expect(await findNaN(model, () => model.call(infinite))).toMatchObject({ path: 'Faulty.first', fromInput: true });
    model.first.bias?.assign(tensor([0, Number.NaN]));
    const x = tensor([[1, 1]]);
    expect(await findNaN(model, () => model.call(x))).toMatchObject({ fromInput: false, states: ['bias'] });
    await expect(checkFinite(model.call(x).sum(), { model, rerun: () => model.call(x) })).rejects.toThrow(
      'in Faulty.first (Linear); its inputs were finite, its bias not. ',
    );
  });

  it('let finite losses pass', async () => {
    using model = mlp(1);
    const x = tensor([[1, 2]]);
    expect(await findNaN(model, () => model.call(x))).toBeUndefined();
    expect(await checkFinite(tensor(0.5), { model, rerun: () => model.call(x) })).toBe(0.5);
    await expect(checkFinite(Number.POSITIVE_INFINITY, { model, rerun: () => model.call(x) })).rejects.toThrow(
      'loss: is Infinity, but every module of Sequential gives finite outputs now',
    );
  });

  it('survive a training step that went wrong', async () => {
    using model = new Linear(2, 1, { generator: new Generator(1) });
    using optimizer = new SGD(model, { learningRate: 1e30 });
    const x = tensor([[1, 2]]);
    for (let step = 0; step < 4; step++) {
      optimizer.step(model.call(x).square().sum());
      await commit();
    }
    const found = await findNaN(model, () => model.call(x));
    expect(found).toMatchObject({ path: 'Linear', states: ['weight', 'bias'] });
  });
});
