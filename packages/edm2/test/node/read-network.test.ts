import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '@evenkeel/formats';
import { Generator } from '@evenkeel/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeSnapshot, networkMetadata, readStateDict, snapshotName } from '../../src/index.ts';
import { readNetwork, readWeights } from '../../src/node/index.ts';
import { tinyNetwork } from '../tiny-network.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-networks-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes an average into a folder and gives the path. */
async function writeSnapshot(where: string, images: number, std: number, seed: number): Promise<string> {
  using net = tinyNetwork({ generator: new Generator(seed), dropout: 0.1 });
  const snapshot = { images, std, values: await readStateDict(net.stateDict()), metadata: networkMetadata(net) };
  mkdirSync(where, { recursive: true });
  const path = join(where, snapshotName(snapshot));
  writeFileSync(path, encodeSnapshot(snapshot));
  return path;
}

const refusal = (path: string, choice = {}): Promise<string> =>
  readNetwork(path, choice).then(
    () => 'read it',
    (error: Error) => error.message,
  );

describe('a network comes back from', () => {
  test('a file, with the values that were written, in evaluation mode', async () => {
    const path = await writeSnapshot(join(folder, 'file'), 2048, 0.05, 3);
    using original = tinyNetwork({ generator: new Generator(3) });
    const { net, images, std, description, file } = await readNetwork(path);
    expect([images, std, file, net.training]).toEqual([2048, 0.05, path, false]);
    expect(description.encoder).toBe('rgb');
    expect(net.options).toMatchObject({ imgResolution: 4, labelDim: 3, dropout: 0.1 });
    const x = new Generator(9).normal([2, 2, 4, 4]);
    const [ours, theirs] = [net.denoise(x, 0.7), original.denoise(x, 0.7)];
    expect(await ours.data()).toEqual(await theirs.data());
    net.dispose();
  });

  test('a folder: the newest state, of it the longest average unless one is asked for', async () => {
    const run = join(folder, 'run');
    for (const [images, seed] of [
      [9_999_360, 1],
      [10_240_000, 2],
    ] as const) {
      for (const std of [0.05, 0.1]) await writeSnapshot(run, images, std, seed);
    }
    await writeSnapshot(run, 2048, 0.15, 4);
    writeFileSync(join(run, 'training-state-0099999.safetensors'), 'not a snapshot');
    const named = async (choice: { std?: number }) => (await readWeights(run, choice)).file.slice(run.length + 1);
    expect(await named({})).toBe('network-snapshot-0010240-0.100.safetensors');
    expect(await named({ std: 0.05 })).toBe('network-snapshot-0010240-0.050.safetensors');
    expect(await named({ std: 0.15 })).toBe('network-snapshot-0000002-0.150.safetensors');
    expect(await refusal(run, { std: 0.2 })).toBe(
      `${run}: has no average of length 0.2. It has 0.050, 0.100, 0.150; reconstruct others`,
    );
  });

  test('a folder whose snapshots stand in a folder of their own', async () => {
    const run = join(folder, 'nested');
    const path = await writeSnapshot(join(run, 'snapshots'), 2048, 0.05, 1);
    expect((await readWeights(run)).file).toBe(path);
  });

  test('a snapshot of published code, whose name says when it was taken', async () => {
    const path = join(folder, 'edm2-tiny-0008388-0.130.pkl');
    cpSync(new URL('../../conformance/snapshot_tiny.pkl', import.meta.url), path);
    const { net, images, std, description } = await readNetwork(path);
    expect([images, std, net.options.imgResolution, description.encoder]).toEqual([8_388_608, 0.13, 4, 'rgb']);
    expect(await net.unet.outGain.value.item()).toBeCloseTo(0.8296, 4);
    net.dispose();
  });

  test('a plain file of weights that says which network it is of', async () => {
    using net = tinyNetwork();
    const path = join(folder, 'plain.safetensors');
    writeFileSync(path, writeSafetensors(await readStateDict(net.stateDict()), networkMetadata(net)));
    const { images, std } = await readWeights(path);
    expect([images, std]).toEqual([undefined, undefined]);
  });
});

describe('one clear line for', () => {
  const write = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  test('what is not there', async () => {
    const path = join(folder, 'gone.safetensors');
    expect(await refusal(path)).toBe(`${path}: there is no such file or folder`);
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    expect(await refusal(empty)).toBe(
      `${empty}: holds no snapshot, such as network-snapshot-0008388-0.050.safetensors`,
    );
  });

  test('a file that is no safetensors file, or is cut off', async () => {
    const path = write('text.safetensors', 'hello, world');
    expect(await refusal(path)).toMatch(`readSafetensors ${path}: header length`);
    const whole = await writeSnapshot(join(folder, 'whole'), 2048, 0.05, 1);
    const cut = join(folder, 'cut.safetensors');
    cpSync(whole, cut);
    const { truncateSync, statSync } = await import('node:fs');
    truncateSync(cut, statSync(cut).size - 1);
    expect(await refusal(cut)).toMatch(/^readSafetensors .*cut\.safetensors: tensor ".*": ends at byte .*cut off\?$/);
  });

  test('a pickle that would run a command, whatever it is called', async () => {
    const command = Buffer.from('\x80\x04cos\nsystem\n(X\x02\0\0\0lstR.', 'latin1');
    for (const name of ['evil.pkl', 'evil.safetensors']) {
      expect(await refusal(write(name, command))).toMatch(/names os\.system, which is not among what may be built/);
    }
    expect(await refusal(write('text.pkl', "cos\nsystem\n(S'ls'\ntR."))).toMatch(/text\.pkl: byte 0: names os\.system/);
  });

  test('weights that do not say which network they are of, or say nonsense', async () => {
    const path = write('anonymous.safetensors', writeSafetensors([]));
    expect(await refusal(path)).toBe(`${path}: does not say which network it is of (metadata 'network')`);
    const described = (network: unknown) =>
      refusal(write('described.safetensors', writeSafetensors([], { network: JSON.stringify(network) })));
    const base = { imgResolution: 4, imgChannels: 2, labelDim: 0 };
    expect(await described({ ...base, labelDim: undefined })).toMatch(/: does not say the network's labelDim$/);
    expect(await described({ ...base, numBlocks: 1e9 })).toMatch(/numBlocks must be a whole number above 0, got 10+$/);
    expect(await described({ ...base, channelMult: 'all' })).toMatch(/channelMult must be a list .*, got "all"$/);
    expect(await described({ ...base, dropout: 1 })).toMatch(/dropout must be a number from 0 to below 1, got 1$/);
    expect(await described(base)).toMatch(/^.*described\.safetensors: UNet: 4 levels need a resolution divisible by 8/);
    expect(await described({ ...base, channelMult: [1] })).toBe(
      `${join(folder, 'described.safetensors')}: lacks 51 tensors (unet.out_gain, ...) of the network that it describes`,
    );
    using net = tinyNetwork();
    const values = await readStateDict(net.stateDict());
    const other = write('other.safetensors', writeSafetensors(values, networkMetadata(tinyNetwork({ labelDim: 0 }))));
    expect(await refusal(other)).toBe(
      `${other}: holds 1 tensor (unet.emb_label.weight) that its network does not have`,
    );
  });
});
