import { backendConformance } from '@evenkeel/tensor/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import wabt from 'wabt';
import { wasm } from '../src/index.ts';
import { cells, numRuns } from './conformance-cells.ts';

const features = { threads: true, simd: true, relaxed_simd: true, bulk_memory: true, sat_float_to_int: true };

describe.each(cells.filter(({ place }) => place === 'Node'))(
  '$place, $threads threads, $instructions, shared $shared',
  ({ place, ...options }) => {
    const modules: Uint8Array<ArrayBuffer>[] = [];
    const { compile } = WebAssembly;
    beforeAll(() => {
      WebAssembly.compile = (bytes) => {
        modules.push(bytes as Uint8Array<ArrayBuffer>);
        return compile(bytes);
      };
    });
    afterAll(() => {
      WebAssembly.compile = compile;
    });

    for (const { name, run } of backendConformance(() => wasm({ ...options, experimental: true }), { numRuns })) {
      test(name, run);
    }

    test('every module is valid to another tool', async () => {
      const tools = await wabt();
      expect(modules).not.toEqual([]);
      for (const bytes of modules) {
        const module = tools.readWasm(bytes, { check: true, readDebugNames: false, ...features });
        // Its types do not say that it takes them here too.
        const checked: { validate(options: object): void } = module;
        checked.validate(features);
        module.destroy();
      }
    });
  },
);
