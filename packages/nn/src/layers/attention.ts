import { type Generator, ones, type Tensor, where, zeros } from '@evenkeel/tensor';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { dropout } from './dropout.ts';
import { dtypeOf, generatorOf, type InitializationOptions, xavierUniform } from './initialization.ts';
import { Linear } from './linear.ts';
import { requireDivides, requireProbability, requireSizes } from './sizes.ts';

/** Options of {@link scaledDotProductAttention}. */
export interface AttentionOptions {
  /** bool, broadcasting to `[..., L, S]`: true where a query may look. */
  readonly mask?: Tensor;
  /** Each query sees only keys up to its own place. @defaultValue false */
  readonly causal?: boolean;
  /** What scores are multiplied with. @defaultValue 1 / sqrt(features of a query) */
  readonly scale?: number;
}

/**
 * softmax(q k^T scale) v (Vaswani et al. 2017, equation 1): queries `[..., L, E]`, keys `[..., S, E]`, values
 * `[..., S, V]` give `[..., L, V]`. A query that may look nowhere gives NaN, as softmax of nothing does.
 *
 * @example
 * ```ts
 * const [queries, keys, values] = [zeros([2, 10, 64]), zeros([2, 10, 64]), zeros([2, 10, 32])];
 * scaledDotProductAttention(queries, keys, values, { causal: true }); // [2, 10, 32]
 * ```
 */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  return attentionWeights(q, k, options).matmul(v);
}

function attentionWeights(q: Tensor, k: Tensor, options: AttentionOptions): Tensor {
  const scale = options.scale ?? 1 / Math.sqrt(q.shape.at(-1) ?? 1);
  let scores = q.mul(scale).matmul(k.transpose());
  if (options.mask !== undefined) scores = where(options.mask, scores, Number.NEGATIVE_INFINITY);
  if (options.causal ?? false) {
    const sizes = scores.shape.slice(-2);
    const past = ones(sizes).tril().greater(0);
    scores = where(past, scores, Number.NEGATIVE_INFINITY);
  }
  return scores.softmax(-1);
}

/** Options of {@link MultiHeadAttention}. */
export interface MultiHeadAttentionOptions extends InitializationOptions {
  /** Whether the projections have biases (first 0). @defaultValue true */
  readonly bias?: boolean;
  /** Probability that an attention weight is dropped in training. @defaultValue 0 */
  readonly dropout?: number;
}

/**
 * Attention in `heads` subspaces: queries `[N, L, features]`, keys and values `[N, S, features]` (both the queries
 * themselves when left out) give `[N, L, features]`. State names are PyTorch's: `in_proj_weight` `[3 features, features]`
 * first Xavier uniform, `in_proj_bias`, `out_proj.weight`, `out_proj.bias`.
 *
 * @throws when `heads` does not divide `features`, or an input is not `[N, L, features]`.
 *
 * @example
 * ```ts
 * const attention = new MultiHeadAttention(64, 4);
 * attention.call(zeros([2, 10, 64])); // [2, 10, 64]
 * ```
 */
export class MultiHeadAttention extends Module {
  static override readonly names = {
    inProjectionWeight: 'in_proj_weight',
    inProjectionBias: 'in_proj_bias',
    outProjection: 'out_proj',
  };

  readonly features: number;
  readonly heads: number;
  readonly dropout: number;
  readonly inProjectionWeight: Parameter;
  readonly inProjectionBias: Parameter | undefined;
  readonly outProjection: Linear;
  readonly #generator: Generator | undefined;

  constructor(features: number, heads: number, options: MultiHeadAttentionOptions = {}) {
    super();
    requireSizes('MultiHeadAttention', { features, heads });
    requireDivides('MultiHeadAttention', 'features', features, 'heads', heads);
    this.features = features;
    this.heads = heads;
    this.dropout = requireProbability('MultiHeadAttention', 'dropout', options.dropout ?? 0);
    this.#generator = options.generator;
    const bias = options.bias ?? true;
    const dtype = dtypeOf(options);
    this.inProjectionWeight = new Parameter(xavierUniform([3 * features, features], features, 3 * features, options));
    if (bias) this.inProjectionBias = new Parameter(zeros([3 * features], { dtype }));
    this.outProjection = new Linear(features, features, options);
    this.outProjection.bias?.assign(zeros([features], { dtype }));
  }

  forward(queries: Tensor, keys: Tensor = queries, values: Tensor = keys, options: AttentionOptions = {}): Tensor {
    const weights = attentionWeights(this.#project(queries, 0), this.#project(keys, 1), options);
    const drops = this.training && this.dropout > 0;
    const kept = drops ? dropout(weights, this.dropout, generatorOf({ generator: this.#generator })) : weights;
    const [samples, length] = queries.shape as readonly [number, number];
    const joined = kept.matmul(this.#project(values, 2)).permute([0, 2, 1, 3]);
    return this.outProjection.call(joined.reshape([samples, length, this.features]));
  }

  /** `[N, L, features]` to `[N, heads, L, features / heads]` by the third of the projection that `part` names. */
  #project(x: Tensor, part: number): Tensor {
    if (x.shape.length !== 3 || x.shape[2] !== this.features) {
      throw new Error(`MultiHeadAttention: wants [N, L, ${this.features}], got shape [${x.shape.join(', ')}]`);
    }
    const rows: [number, number] = [part * this.features, (part + 1) * this.features];
    let y = x.matmul(this.inProjectionWeight.value.slice(rows).transpose());
    if (this.inProjectionBias !== undefined) y = y.add(this.inProjectionBias.value.slice(rows));
    return y
      .reshape([x.shape[0] as number, x.shape[1] as number, this.heads, this.features / this.heads])
      .permute([0, 2, 1, 3]);
  }
}
