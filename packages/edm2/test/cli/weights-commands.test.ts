import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSafetensors } from '@evenkeel/formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodePublishedSnapshot } from '../../src/index.ts';
import { readNetwork, readWeights } from '../../src/node/index.ts';
import { runCommand } from './run-command.ts';

const published = fileURLToPath(new URL('../../conformance/snapshot_tiny.pkl', import.meta.url));
let folder: string;
let output: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-weights-'));
  cpSync(published, join(folder, 'tiny-0008388-0.130.pkl'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command; a wrong use is thrown as an error too. */
async function edm2(...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await runCommand(...args);
  output = stdout;
  if (code !== 0) throw new Error(stderr);
}

/** Numbers in the published snapshot that were trained. */
function trained(): number {
  const { values, copied } = decodePublishedSnapshot(readFileSync(published));
  const sizes = [...values].map(([name, { data }]) => (copied.includes(name) ? 0 : data.length));
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('edm2 convert', () => {
  const source = () => join(folder, 'tiny-0008388-0.130.pkl');

  test('a published snapshot keeps values, names and order, and says what it is of', async () => {
    const path = join(folder, 'tiny.safetensors');
    await edm2('convert', source(), path);
    expect(output).toBe(
      `${source()}: ${trained()} parameters, 4 x 4 x 2 (rgb), 2 labels, average of length 0.13 after 8388608 images\n` +
        `wrote ${path}: 63 tensors, ${(readFileSync(path).length / 1e6).toFixed(1)} MB\n`,
    );
    const before = decodePublishedSnapshot(readFileSync(source()), source());
    const after = await readWeights(path);
    expect(after).toMatchObject({ images: 8_388_608, std: 0.13, description: before.description });
    expect([...after.values]).toEqual([...before.values]);
    expect(after.copied).toEqual([
      'unet.emb_fourier.freqs',
      'unet.emb_fourier.phases',
      'logvar_fourier.freqs',
      'logvar_fourier.phases',
    ]);
    (await readNetwork(path)).net.dispose();
  });

  test('to float32 and back loses nothing', async () => {
    const [wide, narrow] = [join(folder, 'wide.safetensors'), join(folder, 'narrow.safetensors')];
    await edm2('convert', source(), wide, '--dtype', 'float32');
    const { tensors } = readSafetensors(readFileSync(wide));
    expect(new Set([...tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(['float32']));
    await edm2('convert', wide, narrow, '--dtype', 'float16');
    expect([...(await readWeights(narrow)).values]).toEqual([...(await readWeights(source())).values]);
  });

  test('into a folder, under the name of the source', async () => {
    await edm2('convert', source(), `${folder}/made/`);
    expect(existsSync(join(folder, 'made', 'tiny-0008388-0.130.safetensors'))).toBe(true);
  });

  test('does not overwrite unless told to, and writes nothing when asked what it would do', async () => {
    const path = join(folder, 'kept.safetensors');
    await edm2('convert', source(), path, '--dry-run', '--json');
    expect(JSON.parse(output)).toMatchObject({ destination: path, tensors: 63, std: 0.13, encoder: 'rgb' });
    expect(existsSync(path)).toBe(false);
    await edm2('convert', source(), path);
    const first = readFileSync(path);
    await expect(edm2('convert', source(), path, '--dtype', 'float32')).rejects.toThrow(
      `${path}: exists. --force replaces it`,
    );
    expect(readFileSync(path)).toEqual(first);
    await edm2('convert', source(), path, '--dtype', 'float32', '--force');
    expect(readFileSync(path).length).toBeGreaterThan(first.length);
  });

  test('refuses what is no network, and dtypes that it does not write', async () => {
    const x = join(folder, 'x.safetensors');
    await expect(edm2('convert', fileURLToPath(import.meta.url), x)).rejects.toThrow(/header length/);
    await expect(edm2('convert', join(folder, 'gone.pkl'), x)).rejects.toThrow(
      `${join(folder, 'gone.pkl')}: there is no such file or folder`,
    );
    await expect(edm2('convert', source(), x, '--dtype', 'int8')).rejects.toThrow(/float16, float32/);
    expect(existsSync(x)).toBe(false);
    await expect(edm2('convert', source(), join(folder, 'x.pkl'))).rejects.toThrow(/what is written is safetensors/);
  });
});

describe('edm2 flops', () => {
  test('of a preset', async () => {
    await edm2('flops', 'edm2-img512-s');
    expect(output).toBe(`280.2 million parameters, 64 x 64 x 4 (stability-vae), 1000 labels
parameters 280,212,837

convolution  100,236,017,664   98.35%
matmul           593,442,816    0.58%
div              335,350,535    0.33%
mul              304,470,562    0.30%
vector norm      288,949,440    0.28%
silu              93,378,816    0.09%
lerp              27,698,688    0.03%
clip              24,846,336    0.02%
softmax           13,565,952    0.01%
add                  224,327    0.00%
outer                    192    0.00%
cos                      192    0.00%
reciprocal               126    0.00%
pow                        3    0.00%
sqrt                       2    0.00%
log                        1    0.00%
all          101,917,945,652  100.00%

101.92 Gflops
`);
  });

  test('of a file, as JSON', async () => {
    await edm2('flops', published, '--json');
    const counts = JSON.parse(output) as { parameters: number; flopsByOp: Record<string, number> };
    expect(counts.parameters).toBe(trained());
    expect(counts.flopsByOp.pow).toBe(3);
  });

  test('of what is neither', async () => {
    await expect(edm2('flops', 'edm2-img512-q')).rejects.toThrow('edm2-img512-q: there is no such file or folder');
  });
});
