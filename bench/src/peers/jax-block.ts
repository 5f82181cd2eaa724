import type { TaskOf } from '../work/task.ts';
import type { Jax, JaxArray, Traced } from './jax.ts';

/** EDM2's block without attention, in jax-js. Arrays are consumed by what uses them, hence `ref`. */
export function jaxBlock(jax: Jax, task: TaskOf<'block'>): Traced {
  const { numpy: np, nn, lax } = jax;
  const isDecoder = task.flavor === 'dec';
  const hasSkip = task.inChannels !== task.outChannels;

  const normalize = (x: JaxArray, axes: number | readonly number[]) =>
    x.ref.div(np.sqrt(np.square(x).mean(axes, { keepdims: true })).add(1e-4));
  const rows = (w: JaxArray) => Array.from({ length: w.shape.length - 1 }, (_, axis) => axis + 1);
  /** Forced normalization, then the one that has gradients. */
  const scaled = (w: JaxArray) => {
    const fanIn = w.shape.slice(1).reduce((count, size) => count * size, 1);
    return normalize(w, rows(w)).div(Math.sqrt(fanIn));
  };
  const convolve = (x: JaxArray, w: JaxArray) => lax.convGeneralDilated(x, scaled(w), [1, 1], 'SAME');
  const mpSilu = (x: JaxArray) => nn.silu(x).div(0.596);

  const forward = (given: readonly JaxArray[]): JaxArray => {
    const [input, emb, gain, res0, embLinear, res1, skip] = given as JaxArray[] as [
      JaxArray,
      JaxArray,
      JaxArray,
      JaxArray,
      JaxArray,
      JaxArray,
      JaxArray | undefined,
    ];
    let x = input;
    if (!isDecoder) x = normalize(skip === undefined ? x : convolve(x, skip), 1);
    let y = convolve(mpSilu(x.ref), res0);
    const scale = np
      .matmul(emb, scaled(embLinear).transpose([1, 0]))
      .mul(gain)
      .add(1);
    y = mpSilu(y.mul(scale.reshape([task.batch, task.outChannels, 1, 1])));
    y = convolve(y, res1);
    if (isDecoder && skip !== undefined) x = convolve(x, skip);
    const sum = x
      .mul(0.7)
      .add(y.mul(0.3))
      .div(Math.sqrt(0.7 ** 2 + 0.3 ** 2));
    return np.clip(sum, -256, 256);
  };

  return (x, emb, gradient, gain, ...weights) => {
    if (weights.length !== (hasSkip ? 4 : 3)) throw new Error(`block: ${weights.length} weights`);
    const projected = weights.map((w) => normalize(w, rows(w)));
    const sources = [x, emb, gain, ...projected] as JaxArray[];
    if (task.isForwardOnly) {
      gradient?.dispose();
      return forward(sources);
    }
    const objective = (...inputs: JaxArray[]) => {
      const y = forward(inputs.slice(0, -1));
      return [y.ref.mul(inputs.at(-1) as JaxArray).sum(), y];
    };
    const argnums = sources.map((_, i) => i);
    const [[, y], gradients] = jax.valueAndGrad(objective, { argnums, hasAux: true })(...sources, gradient as JaxArray);
    return [y, ...gradients];
  };
}
