import { describe, expect, test } from 'vitest';
import { runOptions } from '../../src/cli/train-options.ts';
import { loadEmoji16, type PictureSet } from '../../src/index.ts';
import { settingsOf } from '../../src/node/training/run-settings.ts';
import { runCommand } from './run-command.ts';

/** What `edm2 train` prints, or complains of. */
async function dryRun(...flags: string[]): Promise<{ printed: string; code: number }> {
  const { code, stdout, stderr } = await runCommand('train', '--outdir=out', '--data=emoji16', '--dry-run', ...flags);
  return { printed: stdout + stderr, code };
}

const settings = async (...flags: string[]) => JSON.parse((await dryRun('--json', ...flags)).printed) as object;

describe('edm2 train --dry-run', () => {
  test('takes the preset that fits the data', async () => {
    expect(await settings()).toMatchObject({
      name: 'small-16',
      parameters: 407635,
      sampleImages: 8192,
      accumulationRounds: 1,
    });
    const { printed } = await dryRun();
    expect(printed).toMatch(/network +407,635 parameters\n/);
    expect(printed).toMatch(/16,384 steps of 8 images\n/);
  });

  test('takes the published options', async () => {
    const flags = [
      '--preset=edm2-img64-xs',
      '--duration=1Mi',
      '--batch=64',
      '--channels=16',
      '--dropout=0.2',
      '--P_mean=-1',
      '--P_std=2',
      '--lr=0.005',
      '--decay=1000',
      '--batch-gpu=16',
      '--fp16=true',
      '--ls=8',
      '--status=64Ki',
      '--snapshot=128Ki',
      '--checkpoint=0',
      '--seed=7',
      '--cond=false',
    ];
    expect(await settings(...flags)).toMatchObject({
      name: 'edm2-img64-xs',
      duration: 2 ** 20,
      batchSize: 64,
      network: { modelChannels: 16, dropout: 0.2, labelDim: 0, fp16: true },
      loss: { pMean: -1, pStd: 2 },
      learningRate: { referenceRate: 0.005, decayBatches: 1000, rampupImages: 1e7 },
      accumulationRounds: 4,
      lossScale: 8,
      statusImages: 65536,
      snapshotImages: 131072,
      checkpointImages: 0,
      seed: 7,
      draws: 'shuffled',
    });
  });

  test('takes the sizes of small networks', async () => {
    const flags = ['--channel-mult=1,1', '--blocks=2', '--attn=16', '--head-channels=8', '--ema-stds=0.1,0.2'];
    expect(await settings(...flags, '--balance=false')).toMatchObject({
      network: { channelMult: [1, 1], numBlocks: 2, attnResolutions: [16], channelsPerHead: 8 },
      emaStds: [0.1, 0.2],
      draws: 'shuffled',
    });
  });

  test.each([
    ['--batch=12', /not a multiple of the batch, 12\. Take/],
    ['--batch-gpu=3', /--batch-gpu 3 does not divide the batch, 8/],
    ['--snapshot=1000', /Take 1024/],
    ['--channel-mult=1,2,2,2,2,2', /6 levels need a resolution divisible by 32, got 16/],
    ['--ema-stds=0.05,0.0501', /would have one name/],
    ['--preset=edm2', /Allowed choices are/],
    ['--dropout=1', /below 1/],
    ['--lr=inf', /Give a number above 0/],
    ['--duration=0', /Give at least 1/],
    ['--duration=1Ti', /Ki, Mi or Gi/],
    ['--cond=maybe', /Give true or false/],
  ])('%s is refused in one line', async (bad, message) => {
    const { printed, code } = await dryRun(bad);
    expect(printed.split('\n')[0]).toMatch(message);
    expect(printed).not.toContain('{');
    expect(code).toBeGreaterThan(0);
  });
});

describe('the options of a run', () => {
  const flags = {
    outdir: 'out',
    data: 'x',
    cond: true,
    batchGpu: 0,
    fp16: false,
    ls: 1,
    snapshotDtype: 'float16',
    keep: 2,
    seed: 0,
  } as const;

  test('follow the resolution of the data', async () => {
    const emoji = await loadEmoji16();
    const named = (resolution: number) => runOptions(flags, { ...emoji, resolution } as PictureSet).options.preset.name;
    expect([16, 28, 32, 64, 256].map(named)).toEqual(['small-16', 'small-28', 'small-28', 'small-64', 'small-64']);
  });

  test('labels that are not there, and pictures of latents, are asked for in vain', async () => {
    const { label, labelDim, ...emoji } = await loadEmoji16();
    expect(runOptions(flags, { ...emoji, labelDim: 0 }).problem).toContain(
      '--data: emoji16 has no labels. Give --cond=false',
    );
    const latents = { ...emoji, channels: 8, labelDim: 0, resolution: 64 };
    const { options, problem } = runOptions({ ...flags, cond: false }, latents);
    expect(problem).toBeUndefined();
    expect(settingsOf(options)).toMatchObject({
      encoder: 'stability-vae',
      network: { imgChannels: 4 },
      sampleImages: 0,
    });
    expect(runOptions({ ...flags, cond: false, samples: 4096 }, latents).problem).toMatch(/latents cannot be shown/);
  });
});
