import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Backend, setDevelopmentMode, withBackend } from '@evenkeel/tensor';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { noWebgpu, openBackend as openGpujs } from '../../backend-gpujs/test/backends.ts';
import { noDevice, openBackend as openWebgpu } from '../../backend-webgpu/test/device.ts';
import { largestDeviation } from '../src/conformance/compare.ts';
import type { ManifestCase } from '../src/conformance/folder.ts';
import { failureLines, tableLines, totals } from '../src/conformance/report.ts';
import { type CaseResult, runConformance } from '../src/conformance/run.ts';

const references = fileURLToPath(new URL('../conformance', import.meta.url));
const manifest = JSON.parse(readFileSync(join(references, 'manifest.json'), 'utf8')) as EditableManifest;
const made: string[] = [];
// Every case has other shapes, so each makes its plans: no recompile storm.
beforeAll(() => setDevelopmentMode(false));
afterAll(() => setDevelopmentMode(true));
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

interface EditableManifest {
  cases: (ManifestCase & { kind: string; file: string })[];
  stats: Record<string, Record<string, { atol?: number | null }>>;
}

/** A folder with the primitives alone, changed by `edit`. */
function changedFolder(edit: (manifest: EditableManifest, folder: string) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-conformance-'));
  made.push(folder);
  cpSync(join(references, 'primitives.safetensors'), join(folder, 'primitives.safetensors'));
  const manifest = JSON.parse(readFileSync(join(references, 'manifest.json'), 'utf8')) as EditableManifest;
  manifest.cases = manifest.cases.filter(({ id }) => id === 'mp_silu' || id === 'normalize_2d');
  edit(manifest, folder);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

const linesOf = (results: readonly CaseResult[]) => results.flatMap(failureLines);

describe('reference values', () => {
  test('all of them are met', async () => {
    const results = await runConformance(references);
    expect(linesOf(results)).toEqual([]);
    expect(totals(results)).toEqual({ passed: manifest.cases.length, failed: 0 });
    expect(results.reduce((sum, { tensors }) => sum + tensors, 0)).toBeGreaterThan(1400);
  });

  test('those of functions, layers and blocks also in float64', async () => {
    const kinds = ['primitive', 'mpconv', 'mp_fourier', 'block', 'toy_gt', 'toy_model'];
    const results = await runConformance(references, { dtype: 'float64', kinds });
    expect(linesOf(results)).toEqual([]);
    expect(results).toHaveLength(41);
  });
});

describe('reference values of functions and layers are met on', () => {
  // All kinds, with blocks, networks and training, take minutes on a device in software: npm run conformance -- --backend.
  const kinds = ['primitive', 'mpconv', 'mp_fourier', 'resize', 'fp16', 'toy_gt'];
  const places: readonly [string, () => Promise<Backend>, string | undefined][] = [
    ['WebGPU', openWebgpu, noDevice],
    ['gpu.js by WebGPU', () => openGpujs('webgpu'), noWebgpu],
  ];
  for (const [name, open, missing] of places) {
    test.skipIf(missing)(name, async () => {
      const backend = await open();
      const results = await withBackend(backend, () => runConformance(references, { kinds }));
      expect(linesOf(results)).toEqual([]);
      expect(results).toHaveLength(28);
      await backend.dispose();
    });
  }
});

describe('what deviates fails', () => {
  test('a value that is off by more than its tolerance, with deviation and tolerance', async () => {
    const folder = changedFolder((manifest) => {
      (manifest.cases[0] as { config: unknown }).config = { op: 'normalize', dim: null, eps: 0.0002 };
    });
    const results = await runConformance(folder);
    expect(results.map(({ mismatches }) => mismatches.length > 0)).toEqual([true, false]);
    expect(linesOf(results)[0]).toMatch(/^FAIL normalize_2d out\/y deviates by \d.*, tolerance 0\.00000779$/);
    expect(totals(results)).toEqual({ passed: 1, failed: 1 });
    const table = tableLines(results);
    expect(table[0]).toMatch(/kind +passed +failed +tensors +worst +seconds/);
    expect(table[1]).toMatch(/primitive +1 +1 +4 +[\d.]+ +\d+\.\d/);
  });

  test('a manifest without cases is an error, not a pass', async () => {
    const folder = changedFolder((manifest) => {
      manifest.cases = [];
    });
    await expect(runConformance(folder)).rejects.toThrow(/manifest.json: lists no cases/);
  });

  test('a kind that is not known', async () => {
    const folder = changedFolder(({ cases }) => void Object.assign(cases[0]!, { kind: 'novel' }));
    expect(linesOf(await runConformance(folder))).toEqual(["FAIL normalize_2d kind 'novel' is not known"]);
  });

  test('a listed result that is not computed, or has no tolerance', async () => {
    const folder = changedFolder((manifest) => {
      (manifest.cases[0]!.tensors.in as string[]).splice(1); // without gy there are no gradients
      manifest.stats.primitives!['mp_silu/out/y'] = {};
      manifest.stats.primitives!['mp_silu/grad/x'] = { atol: null };
    });
    expect(linesOf(await runConformance(folder))).toEqual([
      'FAIL normalize_2d grad/x was not computed',
      'FAIL mp_silu out/y has no tolerance in the manifest',
      'FAIL mp_silu grad/x has no tolerance in the manifest',
    ]);
  });

  test('a case that lists no results', async () => {
    const folder = changedFolder((manifest) => {
      (manifest.cases[1] as { tensors: unknown }).tensors = { in: ['x'] };
    });
    expect(linesOf(await runConformance(folder))).toEqual(['FAIL mp_silu the case lists no results to compare']);
  });

  test('a case whose file is missing, and an operation that is not known', async () => {
    const folder = changedFolder((manifest) => {
      manifest.cases[0]!.file = 'gone.safetensors';
      (manifest.cases[1] as { config: unknown }).config = { op: 'mp_tanh' };
    });
    const [first, second] = linesOf(await runConformance(folder));
    expect(first).toMatch(/^FAIL normalize_2d .*gone\.safetensors: does not exist$/);
    expect(second).toBe("FAIL mp_silu config.op 'mp_tanh' is not known");
  });

  test('NaN, on either side', () => {
    expect(largestDeviation([1, Number.NaN], [1, 2])).toBeNaN();
    expect(largestDeviation([1, 2], [1, Number.NaN])).toBeNaN();
    expect(largestDeviation([Number.POSITIVE_INFINITY, 2], [Number.POSITIVE_INFINITY, 2.5])).toBe(0.5);
  });
});

describe('a folder of another form is refused in one line', () => {
  const refused = async (folder: string, message: RegExp) => {
    const error = await runConformance(folder).then(
      () => undefined,
      (reason: Error) => reason.message,
    );
    expect(error).toMatch(message);
    expect(error).not.toContain('\n');
  };

  test('no folder, no manifest', async () => {
    await refused(join(references, 'nowhere'), /manifest\.json: does not exist\. Give a folder/);
    await refused(join(references, 'manifest.json'), /is not in a folder/);
  });

  test('a manifest that is not JSON, or not one of cases', async () => {
    const folder = changedFolder(() => {});
    writeFileSync(join(folder, 'manifest.json'), '{');
    await refused(folder, /is not JSON/);
    writeFileSync(join(folder, 'manifest.json'), '[]');
    await refused(folder, /has no list 'cases'/);
    writeFileSync(join(folder, 'manifest.json'), '{"cases": [{"id": "a"}]}');
    await refused(folder, /case 0 lacks/);
  });

  test('two cases of one name, and kinds that it does not have', async () => {
    await refused(
      changedFolder(({ cases }) => void cases.push(cases[0]!)),
      /two cases are named 'normalize_2d'/,
    );
    await expect(runConformance(references, { kinds: ['novel'] })).rejects.toThrow(/no case of kind 'novel'/);
  });
});
