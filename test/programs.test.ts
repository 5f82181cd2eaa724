import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeSnapshot } from '@evenkeel/edm2/ema';
import { decodePng } from '@evenkeel/formats';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bundleSources } from '../scripts/bundle-sources.mjs';
import { root } from './code-blocks.ts';

/** Ignored by git, and inside the repository, where packages of others are found. */
const programs = join(root, 'out', 'programs-test');
const scratch = mkdtempSync(join(tmpdir(), 'evenkeel-programs-'));
const running = new Set<ChildProcess>();

beforeAll(async () => {
  const sources = join(root, 'packages', 'edm2', 'src');
  const names = ['quickstart', 'conformance', 'cli'];
  await bundleSources(Object.fromEntries(names.map((name) => [name, join(sources, name, 'main.ts')])), programs);
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program; `onText` is told of all that it has printed so far. */
async function run(
  name: string,
  options: readonly string[],
  onText?: (text: string, child: ChildProcess) => void,
  variables: NodeJS.ProcessEnv = {},
) {
  const env = { ...process.env, NO_COLOR: '1', ...variables };
  const child = spawn(process.execPath, [join(programs, `${name}.mjs`), ...options], { cwd: scratch, env });
  running.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onText?.(stdout, child);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  running.delete(child);
  return { code, stdout, stderr } satisfies Ended;
}

/** One line on the error output that says what is wrong, and exit code 1. */
function expectRefusal({ code, stderr }: Ended, complaint: RegExp): void {
  expect(stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(complaint)]);
  expect(code).toBe(1);
}

describe('quickstart', () => {
  test.each([
    [['--minutes', 'soon'], /'soon' is invalid.*--minutes must be a number of at least 0\.2.*--help/],
    [['--minutes', '0'], /at least 0\.2/],
    [['--seed', '1.5'], /--seed must be a whole number/],
    [['--seed', '1e20'], /--seed must be a whole number from 0 to 9007199254740991/],
    [['--minute', '3'], /unknown option '--minute'/],
    [['more'], /too many arguments/],
  ])('refuses %s', async (options, complaint) => {
    expectRefusal(await run('quickstart', options), complaint);
  });

  test('refuses a folder that it cannot write to, before any work', async () => {
    writeFileSync(join(scratch, 'file'), '');
    const ended = await run('quickstart', ['--out', join('file', 'results')]);
    expectRefusal(ended, /cannot write to --out file.results .* Choose another folder/);
    expect(ended.stdout).toBe('');
  });

  test('says that there is nothing to paint from', async () => {
    const nothing = await run('quickstart', ['--samples-only', '--out', 'empty']);
    expectRefusal(nothing, /empty.snapshots holds no snapshots of both averages\. Train first/);
  });

  test('trains, paints, judges and says so in its summary', async () => {
    const folder = join(scratch, 'short');
    const { code, stdout } = await run('quickstart', ['--minutes', '0.2', '--out', folder]);
    expect(stdout).toMatch(/a classifier sees the class asked for in \d+% of \d+0 samples: person \d+%, /);
    expect(code).toBe(0);
    const { agreement, nearestTrainingImage, painting } = JSON.parse(
      readFileSync(join(folder, 'summary.json'), 'utf8'),
    );
    expect(Object.keys(agreement.classes)).toHaveLength(10);
    expect(agreement.overall).toBeGreaterThanOrEqual(0);
    expect(agreement.samplesPerClass).toBeGreaterThanOrEqual(1);
    // Samples of a network that has hardly learned are like no picture.
    expect(nearestTrainingImage.samples).toBeGreaterThan(nearestTrainingImage.heldOut);
    expect(painting.stds).toEqual([0.1, 0.05, 0.15]);
    for (const name of ['samples.png', 'neighbours.png']) {
      const { width, data } = decodePng(readFileSync(join(folder, name)), { file: name });
      expect([width > 90, new Set(data).size > 20]).toEqual([true, true]);
    }
  });

  test('Ctrl-C ends with whole snapshots and says how to go on; a damaged one is named', async () => {
    const folder = join(scratch, 'stopped');
    // Of what is there already, an earlier run's snapshots go, and nothing of the user's.
    mkdirSync(join(folder, 'snapshots'), { recursive: true });
    for (const name of ['9999999-0.050.safetensors', 'mine.safetensors']) {
      writeFileSync(join(folder, 'snapshots', name), '');
    }
    const options = ['--minutes', '5', '--out', folder];
    const stopped = await run('quickstart', options, (text, child) => {
      if (text.includes('step 1 ') && !child.killed) child.kill('SIGINT');
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toContain('--samples-only --out');
    const [mine, ...files] = readdirSync(join(folder, 'snapshots')).sort().reverse();
    expect(mine).toBe('mine.safetensors');
    files.reverse();
    expect(files.map((file) => /-0\.\d+\.safetensors$/.exec(file)?.[0])).toEqual([
      '-0.050.safetensors',
      '-0.100.safetensors',
    ]);
    for (const file of files) {
      const { images, values } = decodeSnapshot(readFileSync(join(folder, 'snapshots', file)), file);
      expect(images).toBeGreaterThan(0);
      expect(values.get('unet.out_gain')?.shape).toEqual([]);
    }
    const damaged = join(folder, 'snapshots', files[0] as string);
    writeFileSync(damaged, readFileSync(damaged).subarray(0, 5000));
    const refused = await run('quickstart', ['--samples-only', '--out', folder]);
    expectRefusal(refused, /snapshots.\d+-0\.050\.safetensors: .*Is the file cut off\?/);
    expect(existsSync(join(folder, 'samples.png'))).toBe(false);
  });
});

describe('conformance', () => {
  const references = join(root, 'packages', 'edm2', 'conformance');

  test.each([
    [[], /missing required argument 'folder'/],
    [['nowhere'], /nowhere.manifest\.json: does not exist\. Give a folder/],
    [[references, '--kinds', 'nope'], /has no case of kind 'nope'\. It has primitive, /],
    [[references, '--dtype', 'float16'], /Allowed choices are float32, float64/],
    [[references, '--backend', 'abacus'], /Allowed choices are wasm, js, webgpu, gpujs, /],
    [[references, '--backend', 'gpujs:webgl2'], /Allowed choices are .*gpujs:webgpu, gpujs:headlessgl, gpujs:webasm/],
    [
      [references, '--backend', 'gpujs:headlessgl'],
      /^conformance: --backend gpujs:headlessgl: .*npm install gl.*\. --backend wasm works everywhere$/,
    ],
  ])('refuses %s', async (options, complaint) => {
    expectRefusal(await run('conformance', options), complaint);
  });

  test.runIf(process.platform === 'linux').each(['webgpu', 'gpujs'])(
    'says what %s lacks without a device',
    async (backend) => {
      const options = [references, '--backend', backend];
      const { code, stderr } = await run('conformance', options, undefined, { VK_ICD_FILENAMES: '/nowhere.json' });
      // Above it may stand what the driver's loader says.
      expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
        /^conformance: --backend \w+: .*no graphics device was found\. In Node it takes a driver.*--backend wasm works everywhere$/,
      );
      expect(code).toBe(1);
    },
  );

  test('prints a table and last how many passed', async () => {
    const { code, stdout } = await run('conformance', [references, '--kinds', 'mp_fourier,phema']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^backend wasm \(/);
    expect(lines.slice(-4).map((line) => line.split(/\s+/)[0])).toEqual([
      'kind',
      'mp_fourier',
      'phema',
      lines.at(-1)?.split(' ')[0],
    ]);
    expect(lines.at(-1)).toMatch(/^[1-9]\d* passed, 0 failed$/);
    expect(code).toBe(0);
  });
});

test('edm2 ends quietly where nobody reads on', async () => {
  const child = spawn(process.execPath, [join(programs, 'cli.mjs'), 'sample', '--help']);
  running.add(child);
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
