import { describe, expect, it } from 'vitest';
import { FunctionBuilder, type FunctionType, ModuleBuilder, type ValueType } from '../src/encoder.ts';
import { laneOps, memoryLaneOps, memoryOps, plainOps } from '../src/opcodes.ts';

const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });

function build(type: FunctionType, write: (f: FunctionBuilder) => void): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: 4, shared: true });
  write(module.function(type, 'run'));
  return module.toBytes();
}

function run(type: FunctionType, write: (f: FunctionBuilder) => void): (...given: (number | bigint)[]) => number {
  const bytes = build(type, write);
  expect(WebAssembly.validate(bytes)).toBe(true);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return instance.exports.run as never;
}

/** Pushes any value of a type. */
function push(f: FunctionBuilder, type: ValueType): void {
  if (type === 'i32') f.i32(8);
  else if (type === 'i64') f.i64(8n);
  else if (type === 'f32') f.f32(1.5);
  else if (type === 'f64') f.f64(1.5);
  else f.i32x4(1, 2, 3, 4);
}

/** Operand and result types, found by trying: each instruction is of some type, or its opcode is wrong. */
function signatures(write: (f: FunctionBuilder) => void, limit: number): string[] {
  const types: ValueType[] = ['i32', 'i64', 'f32', 'f64', 'v128'];
  let lists: ValueType[][] = [[]];
  const found: string[] = [];
  for (let length = 0; length <= limit && found.length === 0; length++) {
    for (const parameters of lists) {
      for (const results of [[], ...types.map((type) => [type])]) {
        const bytes = build({ parameters: [], results }, (f) => {
          for (const type of parameters) push(f, type);
          write(f);
        });
        if (WebAssembly.validate(bytes)) found.push(`${parameters.join(' ')} > ${results.join('')}`);
      }
    }
    lists = lists.flatMap((list) => types.map((type) => [...list, type]));
  }
  return found;
}

const shapes: Record<string, ValueType> = {
  i8x16: 'v128',
  i16x8: 'v128',
  i32x4: 'v128',
  i64x2: 'v128',
  f32x4: 'v128',
  f64x2: 'v128',
};
const shapeOf = (name: string) => name.split('.')[0] as string;

describe('opcodes', () => {
  const plain = Object.keys(plainOps) as (keyof typeof plainOps)[];
  it.each(plain.filter((name) => name.includes('.') && !name.includes('relaxed')))('%s validates', (name) => {
    const found = signatures((f) => f.op(name), 3);
    expect(found).toHaveLength(1);
    const operand = (found[0] as string).split(' ')[0] as string;
    const [shape, action] = name.split('.') as [string, string];
    // What it works on is what its name says.
    const from = /_(i32|i64|f32|f64)(_s|_u)?$/.exec(action)?.[1];
    if (action === 'splat')
      expect(found[0]).toBe(
        `${{ i8x16: 'i32', i16x8: 'i32', i32x4: 'i32', i64x2: 'i64' }[shape] ?? shape.slice(0, 3)} > v128`,
      );
    else expect(operand).toBe(from ?? shapes[shape] ?? shape);
  });

  it.each(Object.keys(memoryOps) as (keyof typeof memoryOps)[])('%s validates', (name) => {
    const found = signatures((f) => f.memory(name, 16), 3);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^i32/);
    if (!name.startsWith('memory')) expect(found[0]).toContain(shapeOf(name));
  });

  it.each(Object.keys(laneOps) as (keyof typeof laneOps)[])('%s validates', (name) => {
    expect(signatures((f) => f.lane(name, 1), 2)).toHaveLength(1);
  });

  it.each(Object.keys(memoryLaneOps) as (keyof typeof memoryLaneOps)[])('%s validates', (name) => {
    expect(signatures((f) => f.memoryLane(name, 1, 4), 2)).toEqual([
      name.includes('load') ? 'i32 v128 > v128' : 'i32 v128 > ',
    ]);
  });
});

describe('functions', () => {
  it.each([0, 1, -1, 63, 64, -64, -65, 8191, 8192, 2 ** 31 - 1, -(2 ** 31)])('i32 %d', (value) => {
    expect(run({ parameters: [], results: ['i32'] }, (f) => f.i32(value))()).toBe(value);
  });

  it.each([0n, -1n, 127n, 2n ** 40n, -(2n ** 63n), 2n ** 63n - 1n])('i64 %d', (value) => {
    expect(run({ parameters: [], results: ['i64'] }, (f) => f.i64(value))()).toBe(value);
  });

  it('sums a loop with locals, blocks and branches', () => {
    const sum = run({ parameters: ['i32', 'i32'], results: ['i32'] }, (f) => {
      const [to, without] = f.parameters as [never, never];
      const [i, total] = f.locals('i32', 2) as [never, never];
      f.for(i, { to }, () => {
        f.block((skip) => {
          f.get(i).get(without).op('i32.eq').brIf(skip);
          f.get(total).get(i).op('i32.add').set(total);
        });
      });
      f.get(total);
    });
    expect(sum(5, 3)).toBe(7);
    expect(sum(0, 3)).toBe(0);
  });

  it('reuses released locals', () => {
    const f = new FunctionBuilder(0, { parameters: ['i32'] }, 0);
    const first = f.local('v128');
    f.release(first);
    expect(f.local('i32').index).toBe(2);
    expect(f.local('v128')).toBe(first);
  });

  it('takes a branch of an if with a result', () => {
    const pick = run({ parameters: ['i32'], results: ['f64'] }, (f) => {
      f.get(f.parameters[0] as never).if(
        () => f.f64(1.25),
        () => f.f64(-2),
        'f64',
      );
    });
    expect([pick(1), pick(0)]).toEqual([1.25, -2]);
  });

  it('loads, shuffles and stores vectors', () => {
    new Float32Array(memory.buffer).set([1, 2, 3, 4, 5, 6, 7, 8]);
    run({ parameters: [] }, (f) => {
      f.i32(64)
        .i32(0)
        .memory('v128.load')
        .i32(0)
        .memory('v128.load', 16)
        .shuffle32([0, 5, 2, 7])
        .memory('v128.store', 16);
      f.i32(112).i32(80).i32(8).memoryCopy();
      f.i32(120).i32(0).i32(8).memoryFill();
    })();
    expect([...new Float32Array(memory.buffer, 80, 4)]).toEqual([1, 6, 3, 8]);
    expect([...new Float32Array(memory.buffer, 112, 4)]).toEqual([1, 6, 0, 0]);
  });

  it('adds atomically and wakes nobody', () => {
    const words = new Int32Array(memory.buffer);
    words[64] = 5;
    const add = run({ parameters: ['i32'], results: ['i32'] }, (f) => {
      f.i32(256)
        .get(f.parameters[0] as never)
        .memory('i32.atomic.rmw.add')
        .atomicFence();
      f.i32(256).i32(1).memory('memory.atomic.notify').op('drop');
    });
    expect(add(3)).toBe(5);
    expect(words[64]).toBe(8);
  });
});

describe('modules', () => {
  it('imports functions, has globals and data, calls its own', () => {
    const module = new ModuleBuilder();
    const type = { parameters: ['f64'], results: ['f64'] } as const;
    const square = module.importFunction('env', 'square', type);
    const own = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: 1, shared: false });
    module.data(8, new Uint8Array(Float64Array.of(0.5).buffer));
    const count = module.global('i32', 40, { name: 'count' });
    const inner = module.function(type);
    inner
      .get(inner.parameters[0] as never)
      .call(square)
      .i32(0)
      .memory('f64.load', 8)
      .op('f64.add');
    const outer = module.function(type, 'outer');
    outer.getGlobal(count).i32(2).op('i32.add').setGlobal(count);
    outer.get(outer.parameters[0] as never).call(inner);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), {
      env: { memory: own, square: (x: number) => x * x },
    });
    expect((exports.outer as (x: number) => number)(3)).toBe(9.5);
    expect((exports.count as WebAssembly.Global).value).toBe(42);
    expect(() => module.importFunction('env', 'late', type)).toThrow('after a function');
  });
});
