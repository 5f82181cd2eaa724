import { Generator, State, type Tensor, tensor, zeros } from '@evenkeel/tensor';
import { describe, expect, it } from 'vitest';
import {
  Conv2d,
  Dropout,
  Linear,
  Module,
  Parameter,
  Persistent,
  Sequential,
  SiLU,
  seedLayers,
  snakeCase,
  withProbe,
} from '../src/index.ts';

class Mlp extends Module {
  readonly hidden = new Linear(2, 3);
  readonly output = new Linear(3, 1);
  forward(x: Tensor): Tensor {
    return this.output.call(this.hidden.call(x).silu());
  }
}

class Block extends Module {
  static override readonly names = snakeCase;
  readonly convRes0: Conv2d;
  readonly convRes1: Conv2d;
  // Declared after its siblings: own Parameters come before children all the same.
  readonly embGain = new Parameter(tensor(0));
  constructor(channels: number) {
    super();
    this.convRes0 = new Conv2d(channels, channels, 3, { padding: 'same', bias: false });
    this.convRes1 = new Conv2d(channels, channels, 1, { bias: false });
  }
  forward(x: Tensor): Tensor {
    return this.convRes1.call(this.convRes0.call(x).mul(this.embGain.value));
  }
}

class Net extends Module {
  static override readonly names = { outGain: 'out_gain', trunk: '' };
  readonly enc: Record<string, Module> = { '8x8_block0': new Block(2), '8x8_block1': new Block(2) };
  readonly dec = new Map<string, Module>([['8x8_in0', new Block(2)]]);
  readonly scales = [new Parameter(zeros([2])), new Parameter(zeros([3]))];
  readonly frequencies = new Persistent(zeros([4]));
  readonly outGain = new Parameter(tensor(0));
  readonly trunk = new Sequential(new Linear(2, 2, { bias: false }), new SiLU());
  readonly nothing: Module | undefined = undefined;
  readonly options = { depth: 3, label: 'tiny' };
  forward(): void {}
}

describe('state dict', () => {
  it('names values by path, own values first, Parameters before Persistents, then children in order', () => {
    const net = new Net();
    expect([...net.stateDict().keys()]).toEqual([
      'scales.0',
      'scales.1',
      'out_gain',
      'frequencies',
      'enc.8x8_block0.emb_gain',
      'enc.8x8_block0.conv_res0.weight',
      'enc.8x8_block0.conv_res1.weight',
      'enc.8x8_block1.emb_gain',
      'enc.8x8_block1.conv_res0.weight',
      'enc.8x8_block1.conv_res1.weight',
      'dec.8x8_in0.emb_gain',
      'dec.8x8_in0.conv_res0.weight',
      'dec.8x8_in0.conv_res1.weight',
      '0.weight',
    ]);
    expect([...net.namedBuffers().keys()]).toEqual(['frequencies']);
    expect(net.parameters()).toHaveLength(13);
    expect(net.parameterCount()).toBe(2 + 3 + 1 + 3 * (1 + 2 * 2 * 9 + 2 * 2) + 4);
    net.dispose();
  });

  it('names a shared value once', () => {
    class Tied extends Module {
      readonly a = new Linear(2, 2);
      readonly b = this.a;
      forward(): void {}
    }
    using tied = new Tied();
    expect([...tied.stateDict().keys()]).toEqual(['a.weight', 'a.bias']);
    expect([...tied.namedModules()].map(([path]) => path)).toEqual(['', 'a']);
  });

  it('makes the roundtrip, also from a record and in another float dtype', async () => {
    using from = new Mlp();
    using to = new Mlp();
    const saved = new Map<string, Tensor>();
    for (const [name, value] of from.stateDict()) {
      saved.set(name, tensor(Float64Array.from(await value.data()), { shape: value.shape }));
    }
    expect(to.loadStateDict(Object.fromEntries(saved))).toEqual({ missing: [], unexpected: [] });
    for (const [name, value] of to.stateDict()) {
      expect(value.dtype).toBe('float32');
      expect(Float64Array.from(await value.data())).toEqual(await saved.get(name)?.data());
    }
  });

  it('says all that does not fit in one line, and then changes nothing', async () => {
    using model = new Mlp();
    const before = await model.hidden.bias?.value.data();
    const dict = {
      'hidden.weight': zeros([2, 3]),
      'hidden.bias': zeros([3]),
      'output.weight': zeros([1, 3], { dtype: 'int32' }),
      surplus: zeros([1]),
    };
    expect(() => model.loadStateDict(dict)).toThrow(
      new Error(
        'loadStateDict: state dict does not fit Mlp: missing (1): output.bias; unexpected (1): surplus; ' +
          'misfit (2): hidden.weight is [2, 3], should be [3, 2], output.weight is int32, should be float32. ' +
          'Was it saved from a model of other options?',
      ),
    );
    expect(() => model.loadStateDict({ surplus: zeros([1]) }, { strict: true })).toThrow('Pass { strict: false }');
    expect(() => model.loadStateDict(dict, { strict: false })).toThrow('misfit (2)');
    expect(await model.hidden.bias?.value.data()).toEqual(before);
  });

  it('loads what fits where asked, and reports the rest', async () => {
    using model = new Mlp();
    const report = model.loadStateDict({ 'hidden.bias': tensor([1, 2, 3]), surplus: zeros([1]) }, { strict: false });
    expect(report).toEqual({ missing: ['hidden.weight', 'output.weight', 'output.bias'], unexpected: ['surplus'] });
    expect(await model.hidden.bias?.value.array()).toEqual([1, 2, 3]);
  });
});

describe('Parameter', () => {
  it('is of a float dtype', () => {
    expect(() => new Parameter(zeros([2], { dtype: 'int32' }))).toThrow(
      "Parameter: needs a float dtype, got int32. Cast it with .cast('float32'), or keep it in a Persistent",
    );
    using kept = new Persistent(zeros([2], { dtype: 'int32' }));
    expect(kept).toBeInstanceOf(State);
  });
});

describe('call', () => {
  it('adds the path and the class to an error, once, before its hint', () => {
    using model = new Mlp();
    expect(() => model.call(zeros([4, 5]))).toThrow(
      new Error(
        'Linear: wants a last axis of 2 features, got x of shape [4, 5], in Mlp.hidden (Linear). Reshape x, or make the layer with inFeatures 5',
      ),
    );
    using other = new Net();
    const block = other.enc['8x8_block1'] as Block;
    class Caller extends Module {
      readonly net = other;
      forward(x: Tensor): Tensor {
        return block.call(x);
      }
    }
    expect(() => new Caller().call(zeros([1, 3, 4, 4]))).toThrow(
      /conv2d: .*, in Caller\.net\.enc\.8x8_block1\.conv_res0 \(Conv2d\)$/,
    );
  });

  it('names the outermost module by its class alone, and keeps the error object and its stack', () => {
    const thrown = new RangeError('bad: a number. Give another');
    class Thrower extends Module {
      forward(): void {
        throw thrown;
      }
    }
    let caught: unknown;
    try {
      new Thrower().call();
    } catch (error) {
      caught = error;
    }
    expect(caught).toBe(thrown);
    expect(thrown.message).toBe('bad: a number, in Thrower. Give another');
    expect(thrown.stack).toContain('bad: a number, in Thrower. Give another');
    // The scope is closed again: the next error does not name Thrower.
    using linear = new Linear(2, 2);
    expect(() => linear.call(zeros([3]))).toThrow('in Linear. ');
  });

  it('refuses an asynchronous forward', () => {
    class Later extends Module {
      async forward(): Promise<void> {}
    }
    expect(() => new Later().call()).toThrow(
      'forward: must be synchronous, got a Promise, in Later. It builds a graph',
    );
  });

  it('names cells by their path from the outermost module', () => {
    using model = new Mlp();
    model.hidden.call(zeros([1, 2]));
    expect(model.hidden.weight.path).toBe('Linear.weight');
    model.call(zeros([1, 2]));
    expect(model.hidden.weight.path).toBe('Mlp.hidden.weight');
    model.hidden.call(zeros([1, 2]));
    expect(model.hidden.weight.path).toBe('Mlp.hidden.weight');
  });
});

describe('withProbe', () => {
  it('tells of every call, children before parents, in its scope only', () => {
    using model = new Mlp();
    const seen: [string, readonly number[]][] = [];
    const probe = {
      onForward: (event: { path: string; output: unknown }) =>
        void seen.push([event.path, (event.output as Tensor).shape]),
    };
    const output = withProbe(probe, () => model.call(zeros([5, 2])));
    expect(output.shape).toEqual([5, 1]);
    model.call(zeros([5, 2]));
    expect(() =>
      withProbe(probe, () => {
        throw new Error('stop');
      }),
    ).toThrow('stop');
    model.call(zeros([5, 2]));
    expect(seen).toEqual([
      ['Mlp.hidden', [5, 3]],
      ['Mlp.output', [5, 1]],
      ['Mlp', [5, 1]],
    ]);
  });
});

describe('train and eval', () => {
  it('reach every module below', () => {
    class Dropper extends Module {
      readonly layers = [new Dropout(0.5), new Sequential(new Dropout(0.5))];
      forward(): void {}
    }
    const model = new Dropper();
    const modes = () => [...model.namedModules()].map(([, module]) => module.training);
    expect(modes()).toEqual([true, true, true, true]);
    expect(model.eval()).toBe(model);
    expect(modes()).toEqual([false, false, false, false]);
    model.train();
    expect(modes()).toEqual([true, true, true, true]);
  });
});

describe('first values', () => {
  it('follow from the seed and the order of construction', async () => {
    const weights = async (make: () => Linear): Promise<ArrayLike<number>> => {
      using layer = make();
      return layer.weight.value.data();
    };
    const given = () => weights(() => new Linear(3, 4, { generator: new Generator(5) }));
    expect(await given()).toEqual(await given());
    seedLayers(9);
    const first = await weights(() => new Linear(3, 4));
    const second = await weights(() => new Linear(3, 4));
    seedLayers(9);
    expect(await weights(() => new Linear(3, 4))).toEqual(first);
    expect(second).not.toEqual(first);
  });
});
