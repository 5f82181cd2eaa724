// ONNX Runtime, one operation a model: `onnxruntime.mjs <threads> <package>`.
import { type Input, type Prepared, Unsupported } from '../process/implementation.ts';
import { serve } from '../process/serve.ts';
import type { Task } from '../work/task.ts';
import { type Graph, onnxModel } from './onnx-model.ts';

interface OnnxTensor {
  readonly data: Float32Array;
}

interface Session {
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
  release(): Promise<void>;
}

/** What the bench uses of onnxruntime-web and onnxruntime-node, which have it in common. */
interface OnnxRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<Session>;
  };
  readonly Tensor: new (dtype: 'float32', data: Float32Array, shape: readonly number[]) => OnnxTensor;
  readonly env: { readonly wasm: { numThreads: number }; readonly versions: Readonly<Record<string, string>> };
}

const [threads = '1', name = 'onnxruntime-web'] = process.argv.slice(2);
const loaded = (await import(name)) as OnnxRuntime & { readonly default?: OnnxRuntime };
const runtime = loaded.default ?? loaded;
const isWeb = name === 'onnxruntime-web';
if (isWeb) runtime.env.wasm.numThreads = Number(threads);
const options = isWeb
  ? { executionProviders: ['wasm'] }
  : { intraOpNumThreads: Number(threads), interOpNumThreads: 1, executionProviders: ['cpu'] };

/** Inference only: gradients it has none. */
function graphOf(task: Task): Omit<Graph, 'inputs' | 'output'> & { readonly shape: readonly number[] } {
  const one = (operator: string, attributes: Graph['nodes'][number]['attributes'] = {}) => [
    { operator, inputs: ['x', 'y'], output: 'result', attributes },
  ];
  switch (task.kind) {
    case 'sgemm':
      return { nodes: one('MatMul'), shape: [task.m, task.n] };
    case 'convolution': {
      const { role, batch, outChannels, size, kernel } = task;
      if (role !== 'forward') throw new Unsupported('inference only: no gradients');
      const attributes = { kernel_shape: [kernel, kernel], pads: new Array(4).fill((kernel - 1) / 2) };
      return { nodes: one('Conv', attributes), shape: [batch, outChannels, size, size] };
    }
    case 'elementwise':
      if (task.operation === 'add') return { nodes: one('Add'), shape: task.shape };
      if (task.operation === 'softmax') {
        return { nodes: [{ operator: 'Softmax', inputs: ['x'], output: 'result', attributes: {} }], shape: task.shape };
      }
      throw new Unsupported('no single operator');
    default:
      throw new Unsupported('not written for it');
  }
}

async function prepare(task: Task, inputs: readonly Input[]): Promise<Prepared> {
  const { nodes, shape } = graphOf(task);
  const named = inputs.map((input, i) => ({ ...input, name: ['x', 'y'][i] as string }));
  const model = onnxModel({ nodes, inputs: named, output: { name: 'result', shape } });
  const session = await runtime.InferenceSession.create(model, options);
  const feeds = Object.fromEntries(
    named.map((input) => [input.name, new runtime.Tensor('float32', input.values, input.shape)]),
  );
  let result: OnnxTensor | undefined;
  return {
    async run(count) {
      for (let i = 0; i < count; i++) ({ result } = await session.run(feeds));
    },
    results: async () => [(result as OnnxTensor).data],
    dispose: () => session.release(),
  };
}

await serve({ about: { node: process.version, version: runtime.env.versions.common ?? 'unknown' }, prepare });
process.exit();
