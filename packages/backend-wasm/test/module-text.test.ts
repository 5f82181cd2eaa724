import { beforeAll, describe, expect, test } from 'vitest';
import wabt from 'wabt';
import { type FunctionBuilder, ModuleBuilder, type ValueType } from '../src/encoder.ts';
import { moduleText } from '../src/module-text.ts';
import { laneOps, memoryLaneOps, memoryOps, plainOps } from '../src/opcodes.ts';

const features = { threads: true, simd: true, relaxed_simd: true, bulk_memory: true, sat_float_to_int: true };
let tools: Awaited<ReturnType<typeof wabt>>;
beforeAll(async () => {
  tools = await wabt();
});

/** What another assembler makes of our text must be our bytes. */
function expectSame(module: ModuleBuilder): void {
  const text = moduleText(module);
  const parsed = tools.parseWat('module.wat', text, features);
  const { buffer } = parsed.toBinary({ canonicalize_lebs: true, write_debug_names: false });
  parsed.destroy();
  expect([...buffer], text).toEqual([...module.toBytes()]);
}

/** A function after whose `unreachable` any instruction may stand: what it takes and gives is not looked at. */
function moduleOf(write: (f: FunctionBuilder) => void): ModuleBuilder {
  const module = new ModuleBuilder();
  module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: 4, shared: true });
  const f = module.function({ parameters: [] }, 'run');
  f.op('unreachable');
  write(f);
  f.op('unreachable');
  return module;
}

describe('the text form of a module, read by another assembler, is its bytes', () => {
  test.each(Object.keys(plainOps) as (keyof typeof plainOps)[])('%s', (name) => {
    expectSame(moduleOf((f) => f.op(name)));
  });

  test.each(Object.keys(memoryOps) as (keyof typeof memoryOps)[])('%s', (name) => {
    expectSame(moduleOf((f) => f.memory(name).op('unreachable').memory(name, 1234)));
  });

  test.each(Object.keys(laneOps) as (keyof typeof laneOps)[])('%s', (name) => {
    expectSame(moduleOf((f) => f.lane(name, 1)));
  });

  test.each(Object.keys(memoryLaneOps) as (keyof typeof memoryLaneOps)[])('%s', (name) => {
    expectSame(moduleOf((f) => f.memoryLane(name, 1, 4)));
  });

  test('constants', () => {
    expectSame(
      moduleOf((f) => {
        for (const value of [0, 1, -1, 63, 64, -64, -65, 2 ** 31 - 1, -(2 ** 31)]) f.i32(value).op('drop');
        for (const value of [0n, -1n, 127n, 2n ** 40n, -(2n ** 63n), 2n ** 63n - 1n]) f.i64(value).op('drop');
        const floats = [0, -0, 1.5, -1e-40, 3.4e38, Infinity, -Infinity, NaN, Math.fround(0.1), 1e-45];
        for (const value of floats) f.f32(value).op('drop');
        for (const value of [...floats, 0.1, 5e-324, 1.7e308]) f.f64(value).op('drop');
        f.f32x4(0.1).f64x2(-0.1).i32x4(-7, 8, 9, 10).op('unreachable');
      }),
    );
  });

  test('bulk memory, shuffles, fences', () => {
    expectSame(
      moduleOf((f) => {
        f.shuffle32([0, 5, 2, 7]).op('unreachable').memoryCopy().op('unreachable').memoryFill().atomicFence();
      }),
    );
  });

  test('blocks, branches, locals, calls, globals, data, names', () => {
    const module = new ModuleBuilder();
    const square = module.importFunction('env', 'square', { parameters: ['f64'], results: ['f64'] });
    module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: 1, shared: false });
    module.data(8, new Uint8Array([0, 34, 92, 255]));
    const count = module.global('i32', 40, { name: 'count' });
    module.global('f32', 0.5, { mutable: false });
    const inner = module.function({ parameters: ['f64', 'i32'], results: ['f64'] });
    const [x, n] = inner.parameters as [never, never];
    const locals = (['v128', 'f32', 'f32', 'i64'] as ValueType[]).map((type) => inner.local(type));
    inner.get(locals[1] as never).set(locals[2] as never);
    inner.block((done) => {
      inner.loop((again) => {
        inner.get(n).brIf(done).br(again);
      });
    });
    inner.get(n).if(
      () => inner.get(x).call(square),
      () => inner.f64(1).get(x).op('f64.add'),
      'f64',
    );
    const outer = module.function({ parameters: [], results: ['f64'] }, 'outer');
    outer.getGlobal(count).setGlobal(count).f64(2).i32(3).call(inner);
    module.name(inner, 'step0.phase1', ['x']);
    expect(moduleText(module)).toContain(
      '(func $step0.phase1 (type 0) (param $x f64) (param $i1 i32) (result f64)'.replace('type 0', 'type 1'),
    );
    expectSame(module);
  });
});
