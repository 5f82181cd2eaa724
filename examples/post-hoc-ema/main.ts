import { rm } from 'node:fs/promises';
import { PowerFunctionEma, profileChart, reconstruct, stateDictOf } from '@evenkeel/edm2/ema';
import { saveSnapshots, selectSnapshots } from '@evenkeel/edm2/node';
import type { HostArray } from '@evenkeel/formats';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { Adam, Linear, Sequential, SiLU } from '@evenkeel/nn';
import { commit, Generator, type Tensor } from '@evenkeel/tensor';

const folder = 'out/snapshots';
const batchSize = 64;
const steps = 512;
const wanted = 0.15; // the length that we decide on after training

// 1. Train any model. It learns sin(5 x) from noisy values, at a learning rate that keeps its weights trembling.
using model = new Sequential(new Linear(1, 32), new SiLU(), new Linear(32, 32), new SiLU(), new Linear(32, 1));
using adam = new Adam(model, { learningRate: 0.01 });
using ema = new PowerFunctionEma(model, { stds: [0.05, 0.1] });
using direct = new PowerFunctionEma(model, { stds: [wanted] }); // tracked only to compare with
const random = new Generator(1);
const curve = (x: Tensor): Tensor => x.mul(5).sin();

await rm(folder, { recursive: true, force: true });
for (let step = 1; step <= steps; step++) {
  const x = random.uniform([batchSize, 1], { low: -1 });
  const y = curve(x).add(random.normal([batchSize, 1], { std: 0.5 }));
  const loss = model.call(x).sub(y).square().mean();
  adam.step(loss);
  ema.update(step * batchSize);
  direct.update(step * batchSize);
  await commit(loss);

  // 2. Now and then, store both averages.
  if (step % 64 === 0) await saveSnapshots(ema, folder);
}

// 3. Afterwards, make the average of a length that was never tracked out of the stored ones.
const { snapshots, images } = await selectSnapshots(folder);
const target = { images, std: wanted };
const [postHoc] = (await reconstruct(snapshots, [target])) as [Map<string, HostArray>];
const tracked = await direct.snapshot(wanted);

console.log(`${snapshots.length} snapshots of lengths ${ema.stds.join(' and ')} in ${folder}`);
console.log(`length ${wanted} made of them, against the same tracked in training:`);
console.log(`  relative error  ${relativeError(postHoc, tracked).toExponential(2)}`);
console.log(`  0.10 instead    ${relativeError(await ema.snapshot(0.1), tracked).toExponential(2)}`);

// 4. What averaging is good for: the error against the curve without noise.
const grid = random.uniform([2048, 1], { low: -1 });
const errorNow = () => model.call(grid).sub(curve(grid)).square().mean().item();
console.log('\nmean squared error');
console.log(`  last weights       ${(await errorNow()).toFixed(5)}`);
for (const [name, values] of [
  ['EMA 0.05', await ema.snapshot(0.05)],
  ['EMA 0.10', await ema.snapshot(0.1)],
  ['EMA 0.15 post hoc', postHoc],
] as const) {
  model.loadStateDict(stateDictOf(values));
  console.log(`  ${name.padEnd(18)} ${(await errorNow()).toFixed(5)}`);
}

// 5. The weight that each average gives to each moment of training.
const profiles = [...ema.stds, wanted].map((std) => ({ images, std }));
const chart = profileChart(profiles, { snapshots });
await writeFileAtomically('out/profiles.svg', chart);
console.log('\nout/profiles.svg shows the averaging profiles');

/** Root mean square difference over the root mean square. */
function relativeError(a: ReadonlyMap<string, HostArray>, b: ReadonlyMap<string, HostArray>): number {
  let difference = 0;
  let size = 0;
  for (const [name, { data }] of b) {
    const other = a.get(name)?.data as Float32Array;
    (data as Float32Array).forEach((value, i) => {
      difference += ((other[i] as number) - value) ** 2;
      size += value ** 2;
    });
  }
  return Math.sqrt(difference / size);
}
