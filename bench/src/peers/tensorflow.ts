import { type Implementation, type Input, type Prepared, Unsupported } from '../process/implementation.ts';
import type { Task, TaskOf } from '../work/task.ts';
import { tfBlock } from './tf-block.ts';

export interface TfTensor {
  readonly shape: readonly number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}

type Axes = number | readonly number[];

/** What the bench uses of it. */
export interface TensorFlow {
  readonly version_core: string;
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor(values: Float32Array, shape: readonly number[]): TfTensor;
  zeros(shape: readonly number[]): TfTensor;
  tidy<T>(fn: () => T): T;
  keep(x: TfTensor): TfTensor;
  add(a: TfTensor, b: TfTensor | number): TfTensor;
  sub(a: TfTensor, b: TfTensor): TfTensor;
  mul(a: TfTensor, b: TfTensor | number): TfTensor;
  div(a: TfTensor, b: TfTensor | number): TfTensor;
  square(x: TfTensor): TfTensor;
  sqrt(x: TfTensor): TfTensor;
  sigmoid(x: TfTensor): TfTensor;
  sum(x: TfTensor, axis?: Axes, keepDims?: boolean): TfTensor;
  mean(x: TfTensor, axis?: Axes, keepDims?: boolean): TfTensor;
  softmax(x: TfTensor, axis: number): TfTensor;
  slice(x: TfTensor, begin: readonly number[], size: readonly number[]): TfTensor;
  reshape(x: TfTensor, shape: readonly number[]): TfTensor;
  transpose(x: TfTensor, axes: readonly number[]): TfTensor;
  clipByValue(x: TfTensor, low: number, high: number): TfTensor;
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  conv2d(x: TfTensor, w: TfTensor, strides: number, padding: 'same'): TfTensor;
  grads(fn: (...inputs: TfTensor[]) => TfTensor): (inputs: readonly TfTensor[]) => TfTensor[];
}

/** A computation on inputs in its layout, and how its results come back into ours. */
export interface Program {
  readonly inputLayouts: readonly (readonly number[] | undefined)[];
  readonly resultLayouts: readonly (readonly number[] | undefined)[];
  compute(...inputs: TfTensor[]): TfTensor[];
}

/** How our layouts become theirs and back. */
const toNhwc = [0, 2, 3, 1];
const toNchw = [0, 3, 1, 2];
/** `[out, in, h, w]` to `[h, w, in, out]` and back. */
const toHwio = [2, 3, 1, 0];
const toOihw = [3, 2, 0, 1];

/**
 * TensorFlow.js on the backend that is set; its images are `[N, H, W, C]`. Backends that do not compute at once are waited
 * for: one number is read back after the last run.
 */
export function tensorFlow(tf: TensorFlow, { isAtOnce }: { isAtOnce: boolean }): Pick<Implementation, 'prepare'> {
  function programOf(task: Task): Program {
    const plain = (compute: (...inputs: TfTensor[]) => TfTensor): Program => ({
      inputLayouts: [],
      resultLayouts: [],
      compute: (...inputs) => [compute(...inputs)],
    });
    switch (task.kind) {
      case 'sgemm':
        return plain((a, b) => tf.matMul(a as TfTensor, b as TfTensor));
      case 'chain':
        return plain((x, w) => {
          let y = x as TfTensor;
          for (let i = 0; i < task.count; i++) y = tf.matMul(y, w as TfTensor);
          return y;
        });
      case 'attention':
        return plain((query, key, value) => {
          const logits = tf.matMul(query as TfTensor, key as TfTensor, false, true);
          return tf.matMul(tf.softmax(tf.div(logits, Math.sqrt(task.channels)), -1), value as TfTensor);
        });
      case 'convolution':
        return convolution(task);
      case 'elementwise':
        return elementwise(task);
      case 'block':
        if (task.heads > 0) throw new Unsupported('written for blocks without attention');
        return tfBlock(tf, task, { toNhwc, toNchw, toHwio, toOihw });
      default:
        throw new Unsupported('not written for it');
    }
  }

  function convolution({ role, batch, inChannels, outChannels, size, kernel }: TaskOf<'convolution'>): Program {
    if (role === 'forward') {
      return {
        inputLayouts: [toNhwc, toHwio],
        resultLayouts: [toNchw],
        compute: (x, w) => [tf.conv2d(x as TfTensor, w as TfTensor, 1, 'same')],
      };
    }
    // Its gradient asks for both arrays, though it uses the shape of one only.
    const x = tf.zeros([batch, size, size, inChannels]);
    const w = tf.zeros([kernel, kernel, inChannels, outChannels]);
    const isInput = role === 'input-gradient';
    return {
      inputLayouts: isInput ? [toNhwc, toHwio] : [toNhwc, toNhwc],
      resultLayouts: [isInput ? toNchw : toOihw],
      compute(first, second) {
        const gradient = (isInput ? first : second) as TfTensor;
        const objective = (given: TfTensor) => {
          const [x, w] = isInput ? [given, second] : [first, given];
          return tf.sum(tf.mul(tf.conv2d(x as TfTensor, w as TfTensor, 1, 'same'), gradient));
        };
        return tf.grads(objective as (...inputs: TfTensor[]) => TfTensor)([isInput ? x : w]);
      },
    };
  }

  function normalize(x: TfTensor, axis: number | readonly number[]): TfTensor {
    return tf.div(x, tf.add(tf.sqrt(tf.mean(tf.square(x), axis, true)), 1e-4));
  }

  function elementwise({ operation, shape }: TaskOf<'elementwise'>): Program {
    const operations: Readonly<Record<typeof operation, (...inputs: TfTensor[]) => TfTensor>> = {
      'mp-silu': (x) => tf.div(tf.mul(x as TfTensor, tf.sigmoid(x as TfTensor)), 0.596),
      'mp-silu-sum': (x, y) => {
        const silu = tf.div(tf.mul(x as TfTensor, tf.sigmoid(x as TfTensor)), 0.596);
        return tf.div(tf.add(tf.mul(silu, 0.7), tf.mul(y as TfTensor, 0.3)), Math.hypot(0.7, 0.3));
      },
      'pixel-norm': (x) => normalize(x as TfTensor, 3),
      'weight-norm': (w) => normalize(w as TfTensor, [1, 2, 3]),
      softmax: (x) => tf.softmax(x as TfTensor, -1),
      add: (x, y) => tf.add(x as TfTensor, y as TfTensor),
      sum: (x) => tf.sum(x as TfTensor),
    };
    const isImage = shape.length === 4 && operation !== 'weight-norm';
    const layouts = isImage ? [toNhwc, toNhwc] : [];
    return {
      inputLayouts: layouts,
      resultLayouts: isImage && operation !== 'sum' ? [toNchw] : [],
      compute: (...inputs) => [operations[operation](...inputs)],
    };
  }

  async function prepare(task: Task, inputs: readonly Input[]): Promise<Prepared> {
    const program = programOf(task);
    const given = inputs.map(({ values, shape }, i) => {
      const layout = program.inputLayouts[i];
      const ours = tf.tensor(values, shape);
      return layout === undefined ? ours : tf.transpose(ours, layout);
    });
    const compute = () => {
      try {
        return tf.tidy(() => program.compute(...given));
      } catch (error) {
        const { message } = error as Error;
        throw message.includes('not registered') ? new Unsupported(message) : error;
      }
    };
    let latest: readonly TfTensor[] = [];
    return {
      async run(count) {
        for (let i = 0; i < count; i++) {
          for (const result of latest) result.dispose();
          latest = compute();
        }
        const [first] = latest;
        if (isAtOnce || first === undefined) return;
        const one = tf.tidy(() => tf.slice(tf.reshape(first, [-1]), [0], [1]));
        await one.data();
        one.dispose();
      },
      async results() {
        return Promise.all(
          latest.map(async (result, i) => {
            const layout = program.resultLayouts[i];
            return Float32Array.from(await (layout === undefined ? result : tf.transpose(result, layout)).data());
          }),
        );
      },
      dispose() {
        for (const tensor of [...given, ...latest]) tensor.dispose();
      },
    };
  }

  return { prepare };
}
