import type { Launch } from './wgsl/printed-kernel.ts';

const COMPUTE = 4; // GPUShaderStage.COMPUTE
/** Programs that are kept for plans to come. */
const MOST = 1024;

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Compute pipelines by the text of their program: equal kernels of all plans share one. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #debug: ((text: string) => void) | undefined;
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #pipelines = new Map<string, Promise<Pipeline>>();

  constructor(device: GPUDevice, debug: ((text: string) => void) | undefined) {
    this.#device = device;
    this.#debug = debug;
  }

  get size(): number {
    return this.#pipelines.size;
  }

  /** @throws with the compiler's message where the device does not take the program. */
  get(launch: Launch, label: string): Promise<Pipeline> {
    const known = this.#pipelines.get(launch.code);
    const made = known ?? this.#create(launch, label);
    // Put at the end: the one used longest ago comes first. Plans that have it keep it.
    this.#pipelines.delete(launch.code);
    this.#pipelines.set(launch.code, made);
    if (known) return known;
    made.catch(() => this.#pipelines.delete(launch.code));
    if (this.#pipelines.size > MOST) {
      const [oldest] = this.#pipelines.keys();
      this.#pipelines.delete(oldest as string);
    }
    return made;
  }

  async #create(launch: Launch, label: string): Promise<Pipeline> {
    this.#debug?.(`// ${label}\n${launch.code}\n`);
    const layout = this.#layout(launch);
    // An automatic layout would leave out what a program does not mention.
    const pipelineLayout = this.#device.createPipelineLayout({ bindGroupLayouts: [layout] });
    const module = this.#device.createShaderModule({ label, code: launch.code });
    try {
      const compute = { module, entryPoint: 'main' };
      const pipeline = await this.#device.createComputePipelineAsync({ label, layout: pipelineLayout, compute });
      return { pipeline, layout };
    } catch (error) {
      const { messages } = await module.getCompilationInfo();
      const told = messages.filter(({ type }) => type === 'error').map((one) => `line ${one.lineNum}: ${one.message}`);
      throw told.length === 0 ? error : new Error(told.join('; '), { cause: error });
    }
  }

  #layout({ bindings, hasArguments }: Launch): GPUBindGroupLayout {
    const types: GPUBufferBindingType[] = bindings.map(({ isWritten }) =>
      isWritten ? 'storage' : 'read-only-storage',
    );
    if (hasArguments) types.push('uniform');
    const key = types.join();
    let layout = this.#layouts.get(key);
    if (!layout) {
      const entries = types.map((type, binding) => ({ binding, visibility: COMPUTE, buffer: { type } }));
      layout = this.#device.createBindGroupLayout({ entries });
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}
