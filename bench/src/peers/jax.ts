import { type Implementation, type Input, type Prepared, Unsupported } from '../process/implementation.ts';
import type { Task, TaskOf } from '../work/task.ts';
import { jaxBlock } from './jax-block.ts';

/** An array is consumed by what uses it; `ref` keeps it for another use. */
export interface JaxArray {
  readonly ref: JaxArray;
  readonly shape: readonly number[];
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray | number): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  div(other: JaxArray | number): JaxArray;
  sum(axis?: number | readonly number[], options?: { keepdims?: boolean }): JaxArray;
  mean(axis?: number | readonly number[], options?: { keepdims?: boolean }): JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  transpose(axes: readonly number[]): JaxArray;
  data(): Promise<Float32Array>;
  blockUntilReady(): Promise<JaxArray>;
  dispose(): void;
}

export type Traced = (...inputs: JaxArray[]) => JaxArray | JaxArray[];

export interface Jax {
  init(): Promise<readonly string[]>;
  defaultDevice(device: string): void;
  jit(fn: Traced): Traced;
  grad(fn: (...inputs: JaxArray[]) => JaxArray, options: { argnums: number | readonly number[] }): Traced;
  valueAndGrad(
    fn: (...inputs: JaxArray[]) => readonly JaxArray[],
    options: { argnums: readonly number[]; hasAux: true },
  ): (...inputs: JaxArray[]) => [[JaxArray, JaxArray], JaxArray[]];
  blockUntilReady<T>(values: T): Promise<T>;
  readonly numpy: {
    array(values: Float32Array): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    square(x: JaxArray): JaxArray;
    clip(x: JaxArray, low: number, high: number): JaxArray;
  };
  readonly nn: { silu(x: JaxArray): JaxArray; softmax(x: JaxArray, axis: number): JaxArray };
  readonly lax: {
    convGeneralDilated(x: JaxArray, w: JaxArray, strides: readonly number[], padding: 'SAME'): JaxArray;
    stopGradient(x: JaxArray): JaxArray;
  };
}

/** Runs handed over and not yet done, at most: the results of each are kept until it is. */
const maxInFlight = 2;

/** jax-js on its default device. */
export function jaxJs(jax: Jax): Pick<Implementation, 'prepare'> {
  const { numpy: np, nn, lax } = jax;

  function traced(task: Task): Traced {
    switch (task.kind) {
      case 'sgemm':
        return (a, b) => np.matmul(a as JaxArray, b as JaxArray);
      case 'convolution':
        return convolution(task);
      case 'elementwise':
        return elementwise(task);
      case 'chain':
        return (x, w) => {
          let y = x as JaxArray;
          for (let i = 0; i < task.count; i++)
            y = np.matmul(y, i + 1 < task.count ? (w as JaxArray).ref : (w as JaxArray));
          return y;
        };
      case 'attention':
        return (query, key, value) => {
          const logits = np.matmul(query as JaxArray, (key as JaxArray).transpose([0, 1, 3, 2]));
          return np.matmul(nn.softmax(logits.div(Math.sqrt(task.channels)), -1), value as JaxArray);
        };
      case 'block':
        if (task.heads > 0) throw new Unsupported('written for blocks without attention');
        return jaxBlock(jax, task);
      default:
        throw new Unsupported('not written for it');
    }
  }

  const convolve = (x: JaxArray, w: JaxArray) => lax.convGeneralDilated(x, w, [1, 1], 'SAME');

  function convolution({ role, batch, inChannels, outChannels, size, kernel }: TaskOf<'convolution'>): Traced {
    if (role === 'forward') return (x, w) => convolve(x as JaxArray, w as JaxArray);
    const zeros = (shape: readonly number[]) =>
      np.array(new Float32Array(shape.reduce((count, length) => count * length, 1))).reshape(shape);
    const objective = (x: JaxArray, w: JaxArray, gradient: JaxArray) => convolve(x, w).mul(gradient).sum();
    if (role === 'input-gradient') {
      return (gradient, w) =>
        jax.grad(objective, { argnums: 0 })(
          zeros([batch, inChannels, size, size]),
          w as JaxArray,
          gradient as JaxArray,
        );
    }
    return (x, gradient) => {
      const w = zeros([outChannels, inChannels, kernel, kernel]);
      return jax.grad(objective, { argnums: 1 })(x as JaxArray, w, gradient as JaxArray);
    };
  }

  function normalize(x: JaxArray, axis: number | readonly number[]): JaxArray {
    const rms = np.sqrt(np.square(x.ref).mean(axis, { keepdims: true }));
    return x.div(rms.add(1e-4));
  }

  function elementwise({ operation }: TaskOf<'elementwise'>): Traced {
    const operations: Readonly<Record<typeof operation, Traced>> = {
      'mp-silu': (x) => nn.silu(x as JaxArray).div(0.596),
      'mp-silu-sum': (x, y) => {
        const silu = nn.silu(x as JaxArray).div(0.596);
        return silu
          .mul(0.7)
          .add((y as JaxArray).mul(0.3))
          .div(Math.hypot(0.7, 0.3));
      },
      'pixel-norm': (x) => normalize(x as JaxArray, 1),
      'weight-norm': (x) => normalize(x as JaxArray, [1, 2, 3]),
      softmax: (x) => nn.softmax(x as JaxArray, -1),
      add: (x, y) => (x as JaxArray).add(y as JaxArray),
      sum: (x) => (x as JaxArray).sum(),
    };
    return operations[operation];
  }

  async function prepare(task: Task, inputs: readonly Input[]): Promise<Prepared> {
    const compute = jax.jit(traced(task));
    const given = inputs.map(({ values, shape }) => np.array(values).reshape(shape));
    await jax.blockUntilReady(given);
    /** It computes nothing before it is waited for. */
    const start = () => {
      const result = compute(...given.map((input) => input.ref));
      return jax.blockUntilReady(Array.isArray(result) ? result : [result]);
    };
    let latest: readonly JaxArray[] = [];
    return {
      async run(count) {
        const under: Promise<readonly JaxArray[]>[] = [];
        const finish = async () => {
          const results = await under.shift();
          for (const result of latest) result.dispose();
          latest = results as readonly JaxArray[];
        };
        for (let i = 0; i < count; i++) {
          if (under.length === maxInFlight) await finish();
          under.push(start());
        }
        while (under.length > 0) await finish();
      },
      // Reading consumes, too.
      results: async () => Promise.all(latest.map((result) => result.ref.data())),
      dispose() {
        for (const array of [...given, ...latest]) array.dispose();
      },
    };
  }

  return { prepare };
}
