import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodePng, type HostArray } from '@evenkeel/formats';
import { writeFileAtomically } from '@evenkeel/formats/node';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ProgressLine } from '../src/cli/progress-line.ts';
import { loadEmoji16, splitHeldOut } from '../src/data/index.ts';
import { encodeSnapshot } from '../src/ema/index.ts';
import { loadEmoji16Classifier } from '../src/metrics/emoji16-classifier.ts';
import { judge } from '../src/quickstart/judge.ts';
import { readPainters } from '../src/quickstart/painters.ts';
import { emaStds, guidance, mainStd, postHocStd } from '../src/quickstart/recipe.ts';
import { lossChart } from '../src/quickstart/report.ts';
import { affordablePlan, fullPlan, type SamplingPlan, samplingMs } from '../src/quickstart/sampling-plan.ts';
import { train } from '../src/quickstart/train.ts';

describe('sampling', () => {
  test('takes the best plan that fits, and the least where none does', () => {
    const second = (plan: SamplingPlan) => samplingMs(plan, 10, 350); // at 350 images a second, a pass takes 1 ms
    expect(second({ columns: 4, steps: 12, guided: true })).toBe(10 * 4 * 6 * 23 * 2);
    expect(affordablePlan(Number.POSITIVE_INFINITY, 10, 350)).toEqual(fullPlan);
    expect(affordablePlan(0, 10, 350)).toEqual({ columns: 1, steps: 6, guided: false });
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        fc.double({ min: 1, max: 1e3, noNaN: true }),
        (ms, rate) => {
          const [plan, less] = [affordablePlan(ms, 10, rate), affordablePlan(ms / 2, 10, rate)];
          const least = affordablePlan(0, 10, rate);
          expect(samplingMs(plan, 10, rate)).toBeLessThanOrEqual(Math.max(ms, samplingMs(least, 10, rate)));
          expect(samplingMs(less, 10, rate)).toBeLessThanOrEqual(samplingMs(plan, 10, rate));
        },
      ),
    );
  });
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('where the time is over before it began, one step is trained and saved, and nothing else claimed', async () => {
  const lines: string[] = [];
  const line = { update: (text: () => string) => void lines.push(text()) } as unknown as ProgressLine;
  const dataset = await loadEmoji16();
  const request = { dataset, folder, seed: 7, backend: 'js', deadline: performance.now(), line } as const;
  const report = await train({ ...request, isStopped: () => false });
  expect(report).toMatchObject({ steps: 1, images: 8, heldOutRatio: undefined, wasStopped: false });
  expect(lines).toHaveLength(1);
  expect(lossChart(report)).not.toContain('NaN');
  const { images, snapshots } = await readPainters(folder);
  expect([images, snapshots]).toEqual([8, emaStds.length]);
});

/** A snapshot of one weight, whose value is the images seen. */
async function writeSnapshot(images: number, std: number): Promise<void> {
  const values = new Map<string, HostArray>([['w', { dtype: 'float32', shape: [1], data: Float32Array.of(images) }]]);
  const metadata = { network: JSON.stringify({ imgResolution: 16, imgChannels: 3, labelDim: 10 }), seed: '7' };
  const name = `${String(images).padStart(7, '0')}-${std.toFixed(3)}.safetensors`;
  await writeFileAtomically(join(folder, 'snapshots', name), encodeSnapshot({ images, std, values, metadata }));
}

test('painters are the last averages and the reconstructed one; the guide is the main average of earlier', async () => {
  const times = [100, 200, 300, 400, 500, 600, 700, 800];
  for (const images of times) for (const std of emaStds) await writeSnapshot(images, std);
  const { painters, guide, images, snapshots, trainingSeed, network } = await readPainters(folder);
  expect(painters.map(({ std }) => std)).toEqual([...emaStds, postHocStd].sort((a, b) => a - b));
  expect(painters.every((painter) => painter.images === 800)).toBe(true);
  expect([guide?.images, guide?.std]).toEqual([800 * guidance.share, mainStd]);
  expect([images, snapshots, trainingSeed, network.labelDim]).toEqual([800, 16, 7, 10]);
});

test('with snapshots of one time only there is no guide', async () => {
  for (const std of emaStds) await writeSnapshot(16, std);
  expect((await readPainters(folder)).guide).toBeUndefined();
});

test('samples that are copies are found: distance 0, the same picture beside them', async () => {
  const emoji = await loadEmoji16();
  using classifier = await loadEmoji16Classifier();
  const { train } = splitHeldOut(emoji, { seed: 7 });
  const copied = emoji.classNames.flatMap((_, label) => [...train].filter((i) => emoji.label(i) === label).slice(0, 3));
  const samples = {
    pictures: copied.map((index) => emoji.image(index)),
    labels: copied.map((index) => emoji.label(index)),
    std: 0.1,
    trainingSeed: 7,
  };
  const { agreement, nearestTrainingImage } = await judge(samples, { classifier, dataset: emoji, folder });
  expect(nearestTrainingImage.samples).toBe(0);
  expect(nearestTrainingImage.heldOut).toBeGreaterThan(10);
  expect([agreement.samplesPerClass, agreement.emaStd]).toEqual([3, 0.1]);
  expect(agreement.overall).toBeGreaterThan(0.8);

  // Rows of three pairs, each with an empty place behind it but the last: eight cells of 3 x 16 pixels with gaps of 3.
  const picture = decodePng(readFileSync(join(folder, 'neighbours.png')));
  expect([picture.width, picture.height]).toEqual([8 * 51 - 3, 10 * 51 - 3]);
  const cell = (row: number, column: number) => {
    const line = (y: number) => ((row * 51 + y) * picture.width + column * 51) * 3;
    return Array.from({ length: 48 }, (_, y) => [...picture.data.subarray(line(y), line(y) + 48 * 3)]);
  };
  expect(cell(4, 1)).toEqual(cell(4, 0));
  expect(cell(4, 4)).toEqual(cell(4, 3));
  expect(cell(4, 3)).not.toEqual(cell(4, 0));
  expect(
    cell(4, 2)
      .flat()
      .every((value) => value === 255),
  ).toBe(true);
});
