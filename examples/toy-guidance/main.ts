import { wasm } from '@evenkeel/backend-wasm';
import {
  drawingToRaster,
  drawingToSvg,
  fractalTree,
  type SampleToyOptions,
  sampleToy,
  type ToyModel,
  ToyTrainer,
  type ToyTrainerOptions,
  toyFigure,
} from '@evenkeel/edm2';
import { stateDictOf } from '@evenkeel/edm2/ema';
import { encodePng } from '@evenkeel/formats';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { Generator, setBackend, tensor } from '@evenkeel/tensor';

// The published networks are trained for 4096 steps of 4096 points, their guides for 512 of them. A quarter of the points and
// `--steps 2560` show the same in a minute and a half on two cores; so short a training wants less autoguidance, 2 and not 3.
const batchSize = 1024;
const argument = process.argv.indexOf('--steps');
const steps = argument < 0 ? 2560 : Number(process.argv[argument + 1]);
const weights = { classifierFree: 4, auto: 2 };
const count = 4000;
const data = fractalTree('A');

setBackend(wasm());
const start = performance.now();
const elapsed = () => `${((performance.now() - start) / 1000).toFixed(0)} s`;

// 1. Three networks: the one to sample from, and two that it may be guided by. One knows both classes, one is just worse.
const main = await train('main network', { classes: 'A', dim: 64 }, steps);
const bothClasses = await train('guide: both classes', { classes: 'AB', dim: 32 }, Math.ceil(steps / 5));
const worse = await train('guide: smaller, trained less', { classes: 'A', dim: 32 }, Math.ceil(steps / 5));

// 2. Points of each, from the same noise.
const truth = await reported('ground truth', (await data.sample(count, new Generator(1)).data()) as Float32Array);
const plain = await sampled('no guidance', {});
const classifierFree = await sampled('classifier-free', { guide: bothClasses, guidance: weights.classifierFree });
const auto = await sampled('autoguidance', { guide: worse, guidance: weights.auto });

// 3. One picture.
const figure = await toyFigure(
  [
    { title: 'ground truth', points: truth, color: '#555555' },
    { title: 'no guidance', points: plain },
    { title: `classifier-free guidance (${weights.classifierFree})`, points: classifierFree },
    { title: `autoguidance (${weights.auto})`, points: auto },
  ],
  { data, other: fractalTree('B'), columns: 2, size: 440 },
);
await writeFileAtomically('out/guidance.svg', drawingToSvg(figure));
await writeFileAtomically('out/guidance.png', encodePng(drawingToRaster(figure)));
console.log(`\nout/guidance.png and out/guidance.svg (${elapsed()})`);

/** Trains a network, and gives it the average of its weights. */
async function train(name: string, options: ToyTrainerOptions, steps: number): Promise<ToyModel> {
  const trainer = new ToyTrainer({ ...options, batchSize, seed: 1 });
  let loss = Number.NaN;
  for (let step = 1; step <= steps; step++) {
    const done = await trainer.step();
    if (step % 64 === 0 || step === steps) loss = await done.loss.item();
  }
  trainer.net.loadStateDict(stateDictOf(await trainer.ema.snapshot(0.01)));
  console.log(`${name.padEnd(30)} ${String(steps).padStart(4)} steps, loss ${loss.toFixed(4)} (${elapsed()})`);
  return trainer.net;
}

/** Samples the main network. */
async function sampled(name: string, options: SampleToyOptions): Promise<ArrayLike<number>> {
  return reported(name, await sampleToy(main, { ...options, count }));
}

/** Prints how many points are off the tree: where the data's density, as drawn, is below the outermost contour. */
async function reported(name: string, points: Float32Array): Promise<Float32Array> {
  const isOff = data.logDensity(tensor(points, { shape: [count, 2] }), 0.012).less(-2.2);
  const off = await isOff.cast('float32').sum().item();
  console.log(`${name.padEnd(30)} ${((100 * off) / count).toFixed(1)}% of the points are off the tree (${elapsed()})`);
  return points;
}
