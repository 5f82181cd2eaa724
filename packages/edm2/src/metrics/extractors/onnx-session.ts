/** An array of `onnxruntime-node` or `onnxruntime-web`. */
export interface OnnxTensor {
  readonly dims: readonly number[];
  readonly data: unknown;
}

/** What is used of the session of a network. */
export interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
  /** What inputs are declared as; older versions do not say. */
  readonly inputMetadata?: readonly { readonly name: string; readonly type?: string }[];
}

/** Makes arrays for a session: `new ort.Tensor(type, data, dims)`. */
export type OnnxTensorClass = new (
  type: 'float32' | 'uint8',
  data: Float32Array | Uint8Array,
  dims: readonly number[],
) => OnnxTensor;

/** A network that ONNX Runtime runs. */
export interface OnnxNetwork {
  readonly session: OnnxSession;
  readonly Tensor: OnnxTensorClass;
  /** Names it in errors. */
  readonly file?: string;
}

/** Runs the network on its only input; gives its first output as rows of `featureDim` numbers. */
export async function runOnnx(network: OnnxNetwork, input: OnnxTensor, featureDim: number): Promise<Float32Array> {
  const { session, file = 'the ONNX network' } = network;
  const [inputName, outputName] = [session.inputNames[0] as string, session.outputNames[0] as string];
  const output = (await session.run({ [inputName]: input }))[outputName] as OnnxTensor;
  const count = input.dims[0] as number;
  const { dims, data } = output;
  if (!(data instanceof Float32Array)) throw new Error(`${file}: output '${outputName}' is not of float32`);
  // [N, D], [N, D, 1, 1] of pooled features, or [N, tokens, D], of which the first token is the picture's.
  const tokens = dims.length === 3 ? (dims[1] as number) : 1;
  const width = data.length / (count * tokens);
  if (dims[0] !== count || width !== featureDim) {
    throw new Error(
      `${file}: output '${outputName}' is [${dims.join(', ')}] for ${count} pictures, wanted ${featureDim} numbers for each. Is it the network that the metric names?`,
    );
  }
  if (tokens === 1) return Float32Array.from(data);
  const rows = new Float32Array(count * featureDim);
  for (let i = 0; i < count; i++) {
    rows.set(data.subarray(i * tokens * featureDim, (i * tokens + 1) * featureDim), i * featureDim);
  }
  return rows;
}
