import type { TaskOf } from '../work/task.ts';
import type { Program, TensorFlow, TfTensor } from './tensorflow.ts';

/** How layouts of ours become those of TensorFlow.js. */
interface Layouts {
  readonly toNhwc: readonly number[];
  readonly toNchw: readonly number[];
  readonly toHwio: readonly number[];
  readonly toOihw: readonly number[];
}

/** EDM2's block without attention, in TensorFlow.js: images `[N, H, W, C]`, kernels `[h, w, in, out]`. */
export function tfBlock(tf: TensorFlow, task: TaskOf<'block'>, { toNhwc, toNchw, toHwio, toOihw }: Layouts): Program {
  const { flavor, batch, inChannels, outChannels } = task;
  const isDecoder = flavor === 'dec';
  const hasSkip = inChannels !== outChannels;

  const normalize = (x: TfTensor, axes: number | readonly number[]) =>
    tf.div(x, tf.add(tf.sqrt(tf.mean(tf.square(x), axes, true)), 1e-4));
  /** All axes but that of the outputs: the last one of kernels, the first one of matrices. */
  const rows = (w: TfTensor) => (w.shape.length === 4 ? [0, 1, 2] : [1]);
  const scaled = (w: TfTensor) => {
    const fanIn = rows(w).reduce((count, axis) => count * (w.shape[axis] as number), 1);
    return tf.div(normalize(w, rows(w)), Math.sqrt(fanIn));
  };
  const convolve = (x: TfTensor, w: TfTensor) => tf.conv2d(x, scaled(w), 1, 'same');
  const mpSilu = (x: TfTensor) => tf.div(tf.mul(x, tf.sigmoid(x)), 0.596);

  const forward = (given: readonly TfTensor[]): TfTensor => {
    const [input, emb, gain, res0, embLinear, res1] = given as readonly TfTensor[] as [
      TfTensor,
      TfTensor,
      TfTensor,
      TfTensor,
      TfTensor,
      TfTensor,
    ];
    const skip = given[6];
    let x = input;
    if (!isDecoder) x = normalize(skip === undefined ? x : convolve(x, skip), 3);
    const scale = tf.add(tf.mul(tf.matMul(emb, scaled(embLinear), false, true), gain), 1);
    const y = tf.mul(convolve(mpSilu(x), res0), tf.reshape(scale, [batch, 1, 1, outChannels]));
    const branch = convolve(mpSilu(y), res1);
    if (isDecoder && skip !== undefined) x = convolve(x, skip);
    const sum = tf.div(tf.add(tf.mul(x, 0.7), tf.mul(branch, 0.3)), Math.sqrt(0.7 ** 2 + 0.3 ** 2));
    return tf.clipByValue(sum, -256, 256);
  };

  const weights = [undefined, toHwio, undefined, toHwio, ...(hasSkip ? [toHwio] : [])];
  const gradients = weights.map((layout) => (layout === undefined ? undefined : toOihw));
  return {
    inputLayouts: [toNhwc, undefined, toNhwc, ...weights],
    resultLayouts: [toNchw, toNchw, undefined, ...gradients],
    compute(...[x, emb, gradient, gain, ...given]) {
      const projected = given.map((w) => normalize(w, rows(w)));
      if (task.isForwardOnly) return [forward([x, emb, gain, ...projected] as TfTensor[])];
      let result: TfTensor | undefined;
      const objective = (...sources: TfTensor[]) => {
        // Else it goes with the gradients' scope.
        result = tf.keep(forward(sources));
        return tf.sum(tf.mul(result, gradient as TfTensor));
      };
      const found = tf.grads(objective)([x, emb, gain, ...projected] as TfTensor[]);
      return [result as TfTensor, ...found];
    },
  };
}
