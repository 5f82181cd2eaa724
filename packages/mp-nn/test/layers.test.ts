import { MPConv, MPFourier, MPLinear, normalize, project } from '@evenkeel/mp-nn';
import { Module, Parameter } from '@evenkeel/nn';
import { Generator, grad, ones, tensor } from '@evenkeel/tensor';
import { describe, expect, test } from 'vitest';

const random = () => new Generator(3);

class Pair extends Module {
  readonly gain = new Parameter(tensor(0.5));
  readonly linear = new MPLinear(6, 4, { generator: random() });
  readonly blocks = [new MPConv(2, 3, { kernel: 3, generator: random() })];
  forward(): void {}
}

describe('learned layers', () => {
  test('have one parameter, named weight, and no bias', () => {
    const model = new Pair();
    expect([...model.stateDict()].map(([path, value]) => [path, value.shape])).toEqual([
      ['gain', []],
      ['linear.weight', [4, 6]],
      ['blocks.0.weight', [3, 2, 3, 3]],
    ]);
  });

  test('do not change their weights in a forward pass', async () => {
    const layer = new MPLinear(6, 4, { generator: random() });
    const before = await layer.weight.value.data();
    await layer.call(ones([2, 6])).data();
    expect(await layer.weight.value.data()).toEqual(before);
  });

  test('scale of the weight does not matter', async () => {
    const x = random().normal([2, 2, 5, 4]);
    const layer = new MPConv(2, 3, { kernel: 3, generator: random() });
    const before = await layer.call(x).data();
    layer.weight.assign(layer.weight.value.mul(7));
    const after = await layer.call(x).data();
    after.forEach((value, index) => {
      expect(value).toBeCloseTo(before[index]!, 3);
    });
  });

  test('the weight gradient is orthogonal to each row', async () => {
    const layer = new MPConv(3, 4, { kernel: 3, generator: random() });
    const x = random().normal([2, 3, 4, 4]);
    const weight = layer.weight.value;
    const gradient = grad(layer.call(x).square().sum(), weight);
    const along = await gradient.mul(weight).sum([1, 2, 3]).data();
    const size = await gradient
      .square()
      .sum([1, 2, 3])
      .sqrt()
      .mul(weight.square().sum([1, 2, 3]).sqrt())
      .data();
    along.forEach((value, row) => {
      expect(Math.abs(value)).toBeLessThan(1e-3 * size[row]!);
    });
  });

  test('take a gain with its gradient', async () => {
    const layer = new MPLinear(6, 4, { generator: random() });
    const gain = new Parameter(tensor(0.5));
    const x = random().normal([3, 6]);
    const plain = await layer.call(x).sum().item();
    const y = layer.call(x, gain.value).sum();
    expect(await y.item()).toBeCloseTo(plain / 2, 4);
    expect(await grad(y, gain.value).item()).toBeCloseTo(plain, 4);
    expect(await layer.call(x, 0.5).sum().item()).toBeCloseTo(plain / 2, 4);
  });

  test('say which input they want', () => {
    expect(() => new MPLinear(6, 4).call(ones([2, 5]))).toThrow(
      /MPLinear: wants a last axis of 6 features, got \[2, 5\]/,
    );
    expect(() => new MPConv(6, 4).call(ones([2, 5, 1, 1]))).toThrow(/MPConv: wants \[N, 6, H, W\], got \[2, 5, 1, 1\]/);
    expect(() => new MPConv(0, 4)).toThrow('MPConv: inChannels must be a whole number of at least 1, got 0');
    expect(() => new MPLinear(6, 1.5)).toThrow('MPLinear: outFeatures must be a whole number of at least 1, got 1.5');
    expect(() => new MPConv(6, 4, { kernel: 2 })).toThrow('MPConv: kernel sizes must be odd, got [2, 2]');
  });
});

describe('project', () => {
  test('normalizes every weight below a model and nothing else', async () => {
    const model = new Pair();
    const expected = [
      await normalize(model.linear.weight.value).data(),
      await normalize(model.blocks[0]!.weight.value).data(),
    ];
    project(model);
    expect([await model.linear.weight.value.data(), await model.blocks[0]!.weight.value.data()]).toEqual(expected);
    expect(await model.gain.value.item()).toBe(0.5);
  });

  test('reaches layers that others write', () => {
    let calls = 0;
    class Own extends Module {
      forward(): void {}
      project(): void {
        calls++;
      }
    }
    class Holder extends Module {
      readonly parts = { own: new Own() };
      forward(): void {}
    }
    project(new Holder());
    expect(calls).toBe(1);
  });

  test('gradients are taken at the projected weight', async () => {
    const x = random().normal([3, 6]);
    const g = random().fork(1).normal([3, 4]);
    const projected = new MPLinear(6, 4, { generator: random() });
    project(projected);
    const reference = new MPLinear(6, 4, { generator: random() });
    reference.weight.write(await normalize(reference.weight.value).data());
    const gradients = [projected, reference].map((layer) => grad(layer.call(x).mul(g).sum(), layer.weight.value));
    expect(await gradients[0]!.data()).toEqual(await gradients[1]!.data());
  });
});

describe('MPFourier', () => {
  test('is sqrt(2) cos(x freqs + phases), kept in state but not trained', async () => {
    const layer = new MPFourier(8, { bandwidth: 2, generator: random() });
    expect([...layer.stateDict().keys()]).toEqual(['freqs', 'phases']);
    expect(layer.parameters()).toEqual([]);
    const [freqs, phases] = [await layer.freqs.value.data(), await layer.phases.value.data()];
    const y = await layer.call(tensor([0.25, -1])).data();
    [0.25, -1].forEach((x, n) => {
      freqs.forEach((freq, c) => {
        expect(y[n * 8 + c]).toBeCloseTo(Math.SQRT2 * Math.cos(x * freq + phases[c]!), 4);
      });
    });
    for (const phase of phases) expect(phase >= 0 && phase < 2 * Math.PI).toBe(true);
  });

  test('frequencies have standard deviation 2 pi bandwidth', async () => {
    using layer = new MPFourier(20_000, { bandwidth: 2, generator: random() });
    const meanSquare = await layer.freqs.value.square().mean().item();
    expect(Math.sqrt(meanSquare) / (4 * Math.PI)).toBeCloseTo(1, 1);
  });
});
