import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadStabilityVae } from '@evenkeel/edm2/node';
import { writeSafetensors } from '@evenkeel/formats';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { commit, Generator, grad, setDevelopmentMode, type Tensor, tensor } from '@evenkeel/tensor';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { largestDeviation } from '../src/conformance/compare.ts';
import { readStateDict, stateDictOf } from '../src/ema/index.ts';
import { AutoencoderKL, type AutoencoderKLOptions } from '../src/vae/index.ts';
import { type Planes, ReferenceVae, type Weight } from './vae-reference.ts';

const tiny = { blockChannels: [4, 8, 8], normGroups: 2, layersPerBlock: 1 } as const;

/** With every parameter drawn, norms and biases too. */
async function drawnVae(options: AutoencoderKLOptions = {}): Promise<AutoencoderKL> {
  const random = new Generator(3);
  const vae = new AutoencoderKL({ ...tiny, ...options, generator: random });
  const dtype = options.dtype ?? 'float32';
  for (const parameter of vae.parameters()) {
    if (parameter.value.rank === 1)
      parameter.assign(random.normal(parameter.value.shape, { dtype, mean: 0.5, std: 0.5 }));
  }
  await commit();
  return vae;
}

// Every parameter that is moved makes a plan: no recompile storm.
beforeAll(() => setDevelopmentMode(false));
afterAll(() => setDevelopmentMode(true));

describe('the published network', () => {
  test('has 83,653,863 parameters', () => {
    using vae = new AutoencoderKL();
    expect(vae.parameterCount()).toBe(83_653_863);
    expect(vae.encoder.parameterCount()).toBe(34_163_592);
    expect(vae.decoder.parameterCount()).toBe(49_490_179);
    expect([vae.quantConv.parameterCount(), vae.postQuantConv.parameterCount(), vae.factor]).toEqual([72, 20, 8]);
  });

  test('has the names and shapes of diffusers', () => {
    using vae = new AutoencoderKL();
    const shapes = new Map([...vae.namedParameters()].map(([name, { value }]) => [name, value.shape.join(' ')]));
    const wanted: Record<string, string> = {
      'encoder.conv_in.weight': '128 3 3 3',
      'encoder.down_blocks.0.resnets.0.norm1.weight': '128',
      'encoder.down_blocks.0.resnets.1.conv2.weight': '128 128 3 3',
      'encoder.down_blocks.0.downsamplers.0.conv.weight': '128 128 3 3',
      'encoder.down_blocks.1.resnets.0.conv1.weight': '256 128 3 3',
      'encoder.down_blocks.1.resnets.0.conv_shortcut.weight': '256 128 1 1',
      'encoder.down_blocks.2.resnets.0.conv_shortcut.bias': '512',
      'encoder.down_blocks.3.resnets.1.norm2.bias': '512',
      'encoder.mid_block.attentions.0.group_norm.weight': '512',
      'encoder.mid_block.attentions.0.to_q.weight': '512 512',
      'encoder.mid_block.attentions.0.to_out.0.bias': '512',
      'encoder.mid_block.resnets.1.conv1.weight': '512 512 3 3',
      'encoder.conv_norm_out.weight': '512',
      'encoder.conv_out.weight': '8 512 3 3',
      'quant_conv.weight': '8 8 1 1',
      'post_quant_conv.bias': '4',
      'decoder.conv_in.weight': '512 4 3 3',
      'decoder.up_blocks.0.resnets.2.conv1.weight': '512 512 3 3',
      'decoder.up_blocks.0.upsamplers.0.conv.bias': '512',
      'decoder.up_blocks.2.resnets.0.conv_shortcut.weight': '256 512 1 1',
      'decoder.up_blocks.3.resnets.0.conv_shortcut.weight': '128 256 1 1',
      'decoder.up_blocks.3.resnets.2.norm1.weight': '128',
      'decoder.conv_norm_out.bias': '128',
      'decoder.conv_out.weight': '3 128 3 3',
    };
    expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, shapes.get(name)]))).toEqual(wanted);
    for (const absent of [
      'encoder.down_blocks.3.downsamplers.0.conv.weight',
      'decoder.up_blocks.3.upsamplers.0.conv.weight',
    ]) {
      expect(shapes.has(absent)).toBe(false);
    }
    expect(shapes.has('decoder.up_blocks.1.resnets.0.conv_shortcut.weight')).toBe(false);
    expect(shapes.size).toBe(248);
  });
});

describe('a tiny network', () => {
  const arraysOf = async (tensors: readonly Tensor[]): Promise<Float64Array[]> => {
    await commit(...tensors);
    return Promise.all(tensors.map(async (each) => Float64Array.from((await each.data()) as Float64Array)));
  };
  const planes = async (t: Tensor): Promise<Planes> => {
    const [, channels, height, width] = t.shape as [number, number, number, number];
    return { channels, height, width, data: Float64Array.from((await t.data()) as Float64Array) };
  };

  test('gives what plain loops give', async () => {
    using vae = await drawnVae({ dtype: 'float64' });
    const reference = new ReferenceVae((await readStateDict(vae.stateDict())) as Map<string, Weight>, 3, 1, 2);
    const random = new Generator(8);
    const pictures = await random.uniform([2, 3, 8, 12], { dtype: 'float64' }).realize();
    const latents = await random.normal([2, 4, 2, 3], { dtype: 'float64' }).realize();
    const [moments, decoded] = [vae.encode(pictures), vae.decode(latents)];
    expect([moments.shape, decoded.shape]).toEqual([
      [2, 8, 2, 3],
      [2, 3, 8, 12],
    ]);
    for (let i = 0; i < 2; i++) {
      const of = async (t: Tensor) => planes(t.slice([i, i + 1]));
      const [encoded, picture] = [reference.encode(await of(pictures)), reference.decode(await of(latents))];
      expect(largestDeviation((await of(moments)).data, encoded.data)).toBeLessThan(1e-10);
      expect(largestDeviation((await of(decoded)).data, picture.data)).toBeLessThan(1e-10);
    }
    for (const leaf of [pictures, latents]) leaf.dispose();
  });

  test('has the gradients that differences show', async () => {
    using vae = await drawnVae({ dtype: 'float64' });
    const random = new Generator(4);
    const pictures = await random.uniform([1, 3, 8, 8], { dtype: 'float64' }).realize();
    const weights = await random.normal([1, 3, 8, 8], { dtype: 'float64' }).realize();
    // Also through the standard deviations, which `forward` leaves out.
    const loss = () => vae.call(pictures).mul(weights).sum().add(vae.encode(pictures).square().mean());
    const parameters = vae.parameters();
    const values = parameters.map(({ value }) => value);
    const gradients = await arraysOf(grad(loss(), values));
    const before = await arraysOf(values);
    const step = 1e-5;
    // A wrong gradient of any parameter shows in a direction that moves all of them.
    for (const seed of [1, 2, 3]) {
      const directions = before.map((array, i) => array.map((_, k) => Math.sin(seed + 7 * k + 13 * i)));
      const at = async (distance: number) => {
        for (const [i, parameter] of parameters.entries()) {
          const moved = before[i]!.map((value, k) => value + distance * directions[i]![k]!);
          parameter.assign(tensor(moved, { shape: parameter.value.shape, dtype: 'float64' }));
        }
        await commit();
        return loss().item();
      };
      const slope = ((await at(step)) - (await at(-step))) / (2 * step);
      const predicted = gradients.flatMap((array, i) => [...array.map((value, k) => value * directions[i]![k]!)]);
      const total = predicted.reduce((sum, value) => sum + value, 0);
      const scale = predicted.reduce((sum, value) => sum + Math.abs(value), 0);
      expect(Math.abs(slope - total)).toBeLessThan(1e-6 * scale);
    }
    for (const leaf of [pictures, weights]) leaf.dispose();
  });

  test('refuses pictures that do not divide', async () => {
    using vae = await drawnVae();
    expect(() => vae.encode(tensor(new Float32Array(3 * 6 * 8), { shape: [1, 3, 6, 8] }))).toThrow(
      'AutoencoderKL: wants [N, 3, H, W] with sides that are multiples of 4, got shape [1, 3, 6, 8]',
    );
  });
});

describe('weights in a file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evenkeel-vae-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const latents = tensor(
    Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)),
    { shape: [1, 4, 2, 2] },
  );
  const valuesOf = async (t: Tensor) => [...((await t.data()) as Float32Array)];

  test('come back, from a folder too', async () => {
    using vae = await drawnVae();
    const file = join(folder, 'diffusion_pytorch_model.safetensors');
    await writeFileAtomically(file, writeSafetensors(await readStateDict(vae.stateDict())));
    for (const path of [file, folder]) {
      using loaded = await loadStabilityVae(path, tiny);
      expect(loaded.training).toBe(false);
      expect(await valuesOf(loaded.decode(latents))).toEqual(await valuesOf(vae.decode(latents)));
    }
  });

  test.each([2, 4])('may have the older names, attention as matrices of %d axes', async (axes) => {
    using vae = await drawnVae();
    const old = [...(await readStateDict(vae.stateDict()))].map(([name, { shape, ...array }]) => {
      const before = { to_q: 'query', to_k: 'key', to_v: 'value', 'to_out.0': 'proj_attn' };
      const renamed = name.replace(/to_[qkv]|to_out\.0/, (part) => before[part as keyof typeof before]);
      return [
        renamed,
        { ...array, shape: renamed !== name && shape.length === 2 && axes === 4 ? [...shape, 1, 1] : shape },
      ] as const;
    });
    expect(old.filter(([name]) => /query|key|value|proj_attn/.test(name))).toHaveLength(16);
    using loaded = new AutoencoderKL(tiny);
    loaded.loadStateDict(stateDictOf(new Map(old)));
    expect(await valuesOf(loaded.decode(latents))).toEqual(await valuesOf(vae.decode(latents)));
  });

  test('that are missing, cut off, or of another network give one line', async () => {
    await expect(loadStabilityVae(join(folder, 'none'))).rejects.toThrow(
      /none: does not exist\. Give diffusion_pytorch_model\.safetensors of stabilityai\/sd-vae-ft-mse as a file on this machine: nothing is downloaded$/,
    );
    await expect(loadStabilityVae(folder)).rejects.toThrow(/holds no diffusion_pytorch_model\.safetensors$/);
    using vae = await drawnVae();
    const file = join(folder, 'vae.safetensors');
    await writeFileAtomically(file, writeSafetensors(await readStateDict(vae.stateDict())));
    await expect(loadStabilityVae(file, { ...tiny, blockChannels: [8, 8, 8] })).rejects.toThrow(
      /^\S+vae\.safetensors: state dict does not fit AutoencoderKL: [^\n]*misfit/,
    );
    await expect(loadStabilityVae(file, { ...tiny, layersPerBlock: 3 })).rejects.toThrow(
      /^\S+vae\.safetensors: is not this VAE: it lacks \d+ tensors, such as [\w.]+$/,
    );
    truncateSync(file, 5000);
    await expect(loadStabilityVae(file, tiny)).rejects.toThrow(/^readSafetensors [^\n]+$/);
  });
});
