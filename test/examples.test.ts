import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodePng } from '@evenkeel/formats';
import { describe, expect, test } from 'vitest';
import { root } from './code-blocks.ts';

/** Runs `npm start` in an example's folder, as its README says, and gives what it printed. */
function start(example: string, ...options: string[]): string {
  return execFileSync('npm', ['start', '--silent', ...(options.length > 0 ? ['--', ...options] : [])], {
    cwd: join(root, 'examples', example),
    encoding: 'utf8',
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 140_000,
  });
}

/** The numbers of a printed table's row that starts with `first`. */
function row(output: string, first: number): number[] {
  const rows = output.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  const found = rows.find((numbers) => numbers[0] === first && numbers.length > 1);
  if (found === undefined) throw new Error(`no row starts with ${first} in:\n${output}`);
  return found;
}

describe('examples', { timeout: 150_000 }, () => {
  test.each(readdirSync(join(root, 'examples')))('%s has a README that says how to start it', (example) => {
    expect(existsSync(join(root, 'examples', example, 'main.ts'))).toBe(true);
    expect(readFileSync(join(root, 'examples', example, 'README.md'), 'utf8')).toContain('npm start');
  });

  test('hello-autograd: derivatives are right and the fit arrives', () => {
    const output = start('hello-autograd');
    for (const x of [-1.5, 0.5, 2]) {
      const [, f, first, second] = row(output, x) as [number, number, number, number];
      expect(f).toBeCloseTo(x * Math.sin(x), 3);
      expect(first).toBeCloseTo(Math.sin(x) + x * Math.cos(x), 3);
      expect(second).toBeCloseTo(2 * Math.cos(x) - x * Math.sin(x), 3);
    }
    const [, loss, height, frequency, offset] = row(output, 40) as [number, number, number, number, number];
    expect(loss).toBeLessThan(1e-4);
    expect(height).toBeCloseTo(2, 1);
    expect(frequency).toBeCloseTo(3, 1);
    expect(offset).toBeCloseTo(0.5, 1);
  });

  test('custom-layer: the right layer passes, the wrong one fails, the net learns on the sphere', () => {
    const output = start('custom-layer');
    expect(output).toContain('UnitLinear preserves magnitude.');
    expect(output).toMatch(/WrongLinear: output RMS is 7\.\d+ .* should be 1 .*scale weights by 1 \/ sqrt\(fan-in\)/);
    const [, first] = row(output, 0) as [number, number];
    const [, last, magnitude] = row(output, 100) as [number, number, number];
    expect(last).toBeLessThan(0.01 * first);
    expect(magnitude).toBeCloseTo(1, 3);
  });

  test('post-hoc-ema: the average made afterwards is the one tracked, and averaging helps', () => {
    const output = start('post-hoc-ema');
    const number = (label: string) =>
      Number(
        output
          .split('\n')
          .find((line) => line.trim().startsWith(label))
          ?.split(/\s+/)
          .at(-1),
      );
    expect(number('relative error')).toBeLessThan(2e-3);
    expect(number('0.10 instead')).toBeGreaterThan(1e-2);
    expect(number('EMA 0.15 post hoc')).toBeLessThan(0.7 * number('last weights'));
    const chart = readFileSync(join(root, 'examples/post-hoc-ema/out/profiles.svg'), 'utf8');
    expect(chart).toMatch(/^<svg [\s\S]*<polyline[\s\S]*<\/svg>\s*$/);
    expect(chart).not.toContain('NaN');
  });

  test('toy-guidance: networks learn, and the picture shows what guidance does', () => {
    const output = start('toy-guidance', '--steps', '100');
    const off = (label: string) =>
      Number(new RegExp(`^${label} +(\\S+)% of the points are off the tree`, 'm').exec(output)?.[1]);
    expect(off('ground truth')).toBeLessThan(2);
    // 70% of a normal distribution of the data's mean and covariance would be; 100 steps gave 19%.
    expect(off('no guidance')).toBeLessThan(40);
    expect(off('autoguidance')).not.toBeNaN();
    const folder = join(root, 'examples/toy-guidance/out');
    const svg = readFileSync(join(folder, 'guidance.svg'), 'utf8');
    for (const title of ['ground truth', 'no guidance', 'classifier-free guidance (4)', 'autoguidance (2)']) {
      expect(svg).toContain(`>${title}</text>`);
    }
    const { width, height, data } = decodePng(readFileSync(join(folder, 'guidance.png')));
    expect([width, height]).toEqual([1820, 1916]);
    expect(new Set(data).size).toBeGreaterThan(100);
  });
});
