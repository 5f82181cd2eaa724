import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../run.mjs', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'evenkeel-bench-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What a processor plays for lack of a card. */
const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
const driver = existsSync(swiftShader) ? { VK_ICD_FILENAMES: swiftShader } : {};

function bench(...options: string[]) {
  const env = { ...driver, ...process.env };
  const ended = spawnSync(process.execPath, [program, ...options], { encoding: 'utf8', timeout: 150_000, env });
  return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr };
}

describe('npm run bench', () => {
  test('measures and writes figures of the agreed form, those of other works kept', () => {
    const json = join(scratch, 'results.json');
    const options = ['--quick', '--peers', 'none', '--threads', '1,2', '--json', json];
    const first = bench(...options, '--filter', '^sgemm-64$');
    expect(first.code, first.stderr + first.stdout).toBe(0);
    expect(first.stdout).toMatch(/sgemm-64[\s\S]*evenkeel {2,}1t .*GFLOP\/s/);
    const second = bench(...options, '--filter', '^sgemm-97$');
    expect(second.code, second.stderr + second.stdout).toBe(0);

    const { machine, results } = JSON.parse(readFileSync(json, 'utf8'));
    expect(machine.node).toBe(process.version);
    expect(machine.implementations.evenkeel).toMatchObject({
      node: process.version,
      instructions: expect.stringMatching(/^(plain|relaxed|wide)$/),
    });
    const keys = results.map((result: Record<string, unknown>) => [result.work, result.implementation, result.threads]);
    expect(keys).toEqual([
      ['sgemm-64', 'evenkeel', 1],
      ['sgemm-64', 'evenkeel', 2],
      ['sgemm-97', 'evenkeel', 1],
      ['sgemm-97', 'evenkeel', 2],
    ]);
    for (const { unit, median, p10, p90 } of results) {
      expect(unit).toBe('GFLOP/s');
      expect(p10).toBeGreaterThan(0);
      expect(p10).toBeLessThanOrEqual(median);
      expect(median).toBeLessThanOrEqual(p90);
    }
  });

  test('measures a graphics card, whose name stands in each figure', () => {
    const json = join(scratch, 'gpu.json');
    const options = ['--gpu', '--quick', '--peers', 'none', '--plugins', 'webgpu', '--filter', '^sgemm-64$'];
    const { code, stdout, stderr } = bench(...options, '--json', json);
    expect(code, stderr + stdout).toBe(0);
    const { results, machine } = JSON.parse(readFileSync(json, 'utf8'));
    const { device } = machine.implementations['evenkeel-webgpu'];
    expect(device).toMatch(/\w/);
    expect(stdout).toContain(`device: ${device}`);
    const figure = { work: 'sgemm-64', implementation: 'evenkeel-webgpu', unit: 'GFLOP/s', device };
    expect(results).toEqual([expect.objectContaining(figure)]);
    expect(results[0].byDevice).toBeGreaterThan(0);
  });

  test('lists works without measuring', () => {
    const { code, stdout } = bench('--list', '--filter', 'conv3x3-16x64');
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toEqual([
      'conv3x3-16x64x32x32-forward  GFLOP/s',
      'conv3x3-16x64x32x32-input-gradient  GFLOP/s',
      'conv3x3-16x64x32x32-weight-gradient  GFLOP/s',
    ]);
  });

  test.each([
    [['--filter', 'nothing-like-it'], /--filter leaves nothing\. See --list/],
    [['--filter', '('], /--filter.*Invalid regular expression.*--help/],
    [['--threads', 'many'], /give whole numbers, such as 1,2/],
    [['--peers', 'numpy', '--filter', '^copy$'], /no peer is called 'numpy'/],
    [['--speed'], /unknown option '--speed'/],
  ])('refuses %s', (options, complaint) => {
    const { code, stderr } = bench(...options);
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(complaint)]);
    expect(code).toBe(1);
  });
});
