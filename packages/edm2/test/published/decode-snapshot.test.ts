import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodePublishedSnapshot } from '../../src/index.ts';

const bytes = readFileSync(new URL('../../conformance/snapshot_tiny.pkl', import.meta.url));
const text = bytes.toString('latin1');

/** The snapshot with a short text in it replaced by another. */
function changed(from: string, to: string): Uint8Array {
  const sized = (short: string) => String.fromCharCode(0x8c, short.length) + short;
  const at = text.indexOf(sized(from));
  expect(at).toBeGreaterThan(0);
  return Buffer.from(text.slice(0, at) + sized(to) + text.slice(at + sized(from).length), 'latin1');
}

const refusal = (content: Uint8Array, file = 'tiny.pkl'): string => {
  try {
    decodePublishedSnapshot(content, file);
    return 'read it';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('a snapshot of published code', () => {
  test('says which network it is of, and keeps float16', () => {
    const { description, values, datasetOptions, images, std } = decodePublishedSnapshot(bytes);
    expect(description).toEqual({
      options: {
        imgResolution: 4,
        imgChannels: 2,
        labelDim: 2,
        modelChannels: 4,
        channelMult: [1, 2],
        numBlocks: 1,
        attnResolutions: [2],
        channelsPerHead: 4,
        logvarChannels: 8,
      },
      encoder: 'rgb',
    });
    expect(new Set([...values.values()].map(({ dtype }) => dtype))).toEqual(new Set(['float16']));
    expect(values.get('unet.dec.4x4_block1.conv_skip.weight')?.shape).toEqual([4, 8, 1, 1]);
    expect(datasetOptions).toMatchObject({ path: 'data.zip', use_labels: true });
    expect([images, std]).toEqual([undefined, undefined]);
  });

  test.each([
    ['edm2-img512-xxl-0939524-0.150.pkl', 939_524_096, 0.15],
    ['run/network-snapshot-2147483-0.050.pkl', 2_147_483_648, 0.05],
    ['network-snapshot-0000000-0.100.pkl', 0, 0.1],
    ['network-snapshot-0000002-0.100.pkl', 2048, 0.1],
  ])('named %s', (file, images, std) => {
    expect(decodePublishedSnapshot(bytes, file)).toMatchObject({ images, std });
  });

  test('with the latents of the VAE', () => {
    const { description } = decodePublishedSnapshot(changed('StandardRGBEncoder', 'StabilityVAEEncoder'));
    expect(description.encoder).toBe('stability-vae');
  });
});

describe('is refused, in one line that names the file, when', () => {
  test('it is cut off', () => {
    // A prime, so that every kind of place is met: between opcodes, in numbers, names and elements.
    for (let length = 0; length < bytes.length; length += 131) {
      const message = refusal(bytes.subarray(0, length));
      expect(message).toMatch(/^readPickle tiny\.pkl: byte \d+: .*cut off/);
      expect(message).not.toContain('\n');
    }
  });

  test('it names a class or function of others', () => {
    expect(refusal(changed('dnnlib.util', 'posix'))).toMatch(
      /^readPickle tiny\.pkl: byte 30: names posix\.EasyDict, which is not among what may be built/,
    );
    expect(refusal(changed('EasyDict', 'system'))).toMatch(/names dnnlib\.util\.system, which/);
    expect(refusal(changed('_reconstruct_persistent_obj', '__import__'))).toMatch(
      /names torch_utils\.persistence\.__im/,
    );
  });

  test('it holds another network, another encoder or an option that is not known', () => {
    expect(refusal(changed('Precond', 'Prekond'))).toBe("tiny.pkl: 'ema' is a Prekond, not the network Precond");
    expect(refusal(changed('StandardRGBEncoder', 'StandardXYZEncoder'))).toMatch(
      /^tiny\.pkl: encoder StandardXYZEncoder is not one of StandardRGBEncoder, StabilityVAEEncoder$/,
    );
    expect(refusal(changed('logvar_channels', 'logwar_channels'))).toMatch(
      /^tiny\.pkl: its network has an option "logwar_channels", which is not known$/,
    );
    expect(refusal(changed('img_resolution', 'img_resolutiom'))).toMatch(/option "img_resolutiom"/);
    expect(refusal(changed('ema', 'emu'))).toBe("tiny.pkl: is no network snapshot: it has no 'ema'");
  });
});
