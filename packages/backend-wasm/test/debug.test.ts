import { Generator, withBackend } from '@evenkeel/tensor';
import { expect, test, vi } from 'vitest';
import { type WasmOptions, wasm } from '../src/index.ts';

async function work(debug: WasmOptions['debug']): Promise<void> {
  const backend = wasm({ threads: 1, instructions: 'plain', ...(debug === undefined ? {} : { debug }) });
  const random = new Generator(1);
  await withBackend(backend, () =>
    random
      .normal([64, 64])
      .matmul(random.normal([64, 8]))
      .exp()
      .data(),
  );
  await backend.dispose();
}

test('debug shows each kernel once, by what it computes and does', async () => {
  const texts: string[] = [];
  await work((text) => texts.push(text));
  const product = texts.find((text) => text.includes('matmul')) as string;
  expect(product).toMatch(/^;; step \d: matmul b1 m64 n8 k64 .*\n\(func/);
  expect(product).toMatch(/\(func \$step\d\.phase0 \(type \d+\) \(param \$table i32\) \(param \$chunk i32\)/);
  expect(product).toContain('f32x4.mul');
  expect(texts.at(-1)).toMatch(/^;; \d steps, as each thread runs them\n\(func \$run/);
  expect(texts.at(-1)).toContain('call $barrier');
});

test('debug: true prints, and nothing is printed otherwise', async () => {
  const print = vi.spyOn(console, 'log').mockReturnValue(undefined);
  await work(undefined);
  expect(print).not.toHaveBeenCalled();
  await work(true);
  expect(print).toHaveBeenCalledWith(expect.stringContaining(';; step 0: '));
  print.mockRestore();
});
