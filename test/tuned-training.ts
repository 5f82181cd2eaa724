// Trains a small network from one number of images to another, on WebAssembly with the tuning that it is told:
// `tuned-training FROM TO TUNING FOLDER`. Reads its state at FROM, if that is not 0, and writes it at TO.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Tuning, wasm } from '@evenkeel/backend-wasm';
import { Edm2Loss, Precond, trainStep } from '@evenkeel/edm2';
import { PowerFunctionEma, readStateDict, stateDictOf } from '@evenkeel/edm2/ema';
import { readSafetensors, writeSafetensors } from '@evenkeel/formats';
import { project } from '@evenkeel/mp-nn';
import { Adam } from '@evenkeel/nn';
import { commit, Generator, setBackend } from '@evenkeel/tensor';

const [from, to] = process.argv.slice(2, 4).map(Number) as [number, number];
const tuning = JSON.parse(process.argv[4] as string) as Tuning;
const fileOf = (part: string, images: number): string =>
  join(process.argv[5] as string, `${part}-${images}.safetensors`);

setBackend(wasm({ threads: 2, instructions: 'plain', tuning }));
const net = new Precond({
  imgResolution: 8,
  imgChannels: 3,
  labelDim: 0,
  modelChannels: 16,
  channelMult: [1, 2],
  numBlocks: 1,
  attnResolutions: [4],
  generator: new Generator(1),
});
const optimizer = new Adam(net, { betas: [0.9, 0.99] });
const parts = { net, optimizer };
if (from > 0) {
  for (const [name, part] of Object.entries(parts)) {
    part.loadStateDict(stateDictOf(readSafetensors(readFileSync(fileOf(name, from))).tensors));
  }
} else project(net);
await commit();
const ema = new PowerFunctionEma(net);
const loss = new Edm2Loss();
net.train();
for (let images = from; images < to; images += 8) {
  const random = new Generator(7).fork(images);
  const batch = { images: random.normal([8, 3, 8, 8]), labels: null };
  await commit(trainStep({ ...parts, loss, ema }, batch, { random, learningRate: 0.02, images: images + 8 }).loss);
}
for (const [name, part] of Object.entries(parts)) {
  writeFileSync(fileOf(name, to), writeSafetensors(await readStateDict(part.stateDict())));
}
