// Trains the classifier of emoji16 that this package ships:
//
//   npm run train-classifier -w packages/edm2 [-- --steps N --seed N --threads N --out FILE]
//
// The same options on the same machine give the same file; elsewhere numbers round differently, and weights with them.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { wasm } from '@evenkeel/backend-wasm';
import { loadEmoji16, splitHeldOut, subset } from '@evenkeel/edm2';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { setBackend } from '@evenkeel/tensor';
import { duration, ProgressLine } from '../src/cli/progress-line.ts';
import { accuracy, classifierSplit, decodeClassifier, encodeClassifier } from '../src/metrics/emoji16-classifier.ts';
import { trainClassifier } from './classifier/train.ts';

const { values: options } = parseArgs({
  options: {
    steps: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '0' },
    threads: { type: 'string', default: String(availableParallelism()) },
    out: { type: 'string', default: 'assets/emoji16-classifier.safetensors' },
  },
});
setBackend(wasm({ experimental: true, threads: Number(options.threads) }));
const emoji = await loadEmoji16();
const { train, heldOut } = splitHeldOut(emoji, classifierSplit);
const network = { imgChannels: emoji.channels, labelCount: emoji.labelDim, widths: [24, 48, 80] };
const steps = Number(options.steps);
const line = new ProgressLine();
const start = performance.now();
let smooth: number | undefined;
const values = await trainClassifier(subset(emoji, train), {
  network,
  steps,
  seed: Number(options.seed),
  onStep({ step, loss }) {
    smooth = smooth === undefined ? loss : smooth + (loss - smooth) / 50;
    const left = ((performance.now() - start) / 1000 / step) * (steps - step);
    line.update(() => `step ${step} of ${steps}  loss ${smooth?.toFixed(3)}  ${duration(left)} left`);
  },
});
const bytes = encodeClassifier(network, values);
await writeFileAtomically(options.out, bytes);
using classifier = decodeClassifier(bytes); // judged as it is stored
const { overall, classMean, classes } = await accuracy(classifier, subset(emoji, heldOut));
const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
line.print(`${options.out}: ${bytes.length} bytes, ${classifier.parameterCount()} parameters`);
line.print(`held out: ${percent(overall)} of ${heldOut.length} pictures, ${percent(classMean)} as a mean over classes`);
for (const [name, share] of Object.entries(classes)) line.print(`  ${name.padEnd(8)} ${percent(share)}`);
