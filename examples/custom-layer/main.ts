import { mpSilu, normalize, project } from '@evenkeel/mp-nn';
import { assertPreservesMagnitude } from '@evenkeel/mp-nn/testing';
import { Adam, Module, Parameter } from '@evenkeel/nn';
import { commit, Generator, type Tensor } from '@evenkeel/tensor';

/** A layer of our own: each row of the weight has RMS 1 when it is used, whatever training makes of it. */
class UnitLinear extends Module {
  readonly weight: Parameter;
  constructor(inFeatures: number, outFeatures: number, random: Generator) {
    super();
    this.weight = new Parameter(random.normal([outFeatures, inFeatures]));
  }
  forward(x: Tensor): Tensor {
    return x.matmul(normalize(this.weight.value).transpose()).div(Math.sqrt(x.shape.at(-1) as number));
  }
  /** Lets `project(model)` bring the stored weights back to RMS 1 before each step. */
  project(): void {
    this.weight.assign(normalize(this.weight.value));
  }
}

/** The same without 1 / sqrt(fan-in): a mistake that is easy to make. */
class WrongLinear extends UnitLinear {
  override forward(x: Tensor): Tensor {
    return x.matmul(normalize(this.weight.value).transpose());
  }
}

// 1. Is the magnitude preserved, forward and backward?
const inputShape = [64, 64];
await assertPreservesMagnitude({ create: (random) => new UnitLinear(64, 64, random) }, { inputShape, seed: 1 });
console.log('UnitLinear preserves magnitude.\n');

try {
  await assertPreservesMagnitude({ create: (random) => new WrongLinear(64, 64, random) }, { inputShape, seed: 1 });
} catch (error) {
  console.log(`WrongLinear does not:\n${(error as Error).message}\n`);
}

// 2. Does it train? The net learns sin(3 x) / 2 on -1 ... 1; the constant input stands in for a bias.
class Net extends Module {
  readonly random = new Generator(2);
  readonly first = new UnitLinear(2, 64, this.random);
  readonly second = new UnitLinear(64, 64, this.random);
  readonly last = new UnitLinear(64, 1, this.random);
  forward(x: Tensor): Tensor {
    const hidden = mpSilu(this.second.call(mpSilu(this.first.call(x))));
    return this.last.call(hidden);
  }
}

using net = new Net();
using adam = new Adam(net, { betas: [0.9, 0.99] });
const random = new Generator(3);
console.log('  step      loss  RMS of second.weight');
for (let step = 0; step <= 100; step++) {
  project(net);
  const x = random.uniform([128, 1], { low: -1 });
  const inputs = x.mul(Math.sqrt(3)).pad([[0, 0], [0, 1]], 1); // biome-ignore format: two columns
  const loss = net.call(inputs).sub(x.mul(3).sin().div(2)).square().mean();
  const magnitude = net.second.weight.value.square().mean().sqrt();
  adam.step(loss, { learningRate: 0.03 / Math.sqrt(1 + step / 30) });
  await commit(loss, magnitude);
  if (step % 20 === 0) {
    const row = [(await loss.item()).toFixed(5), (await magnitude.item()).toFixed(4)];
    console.log(`${String(step).padStart(6)}   ${row.join('  ')}`);
  }
}
