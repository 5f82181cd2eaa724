import type { DType } from '@evenkeel/tensor';
import type { Plan } from '@evenkeel/tensor/kernel';

const WINDOW = 256; // what offsets of uniform bindings are multiples of on every device

/** Where the launch arguments of a plan's steps lie in one uniform buffer: each step has a window of its own. */
export class LaunchArguments {
  readonly bytes: number;
  /** Offset and size of each step's window. */
  readonly windows: readonly { readonly offset: number; readonly size: number }[];
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #writers: ((given: Float64Array) => void)[] = [];

  constructor({ steps }: Plan) {
    let bytes = 0;
    this.windows = steps.map(({ kernel, arguments: numbers }) => {
      const size = kernel.kind === 'host' ? 0 : Math.ceil(numbers.length / 4) * 16;
      const offset = bytes;
      bytes += Math.ceil(size / WINDOW) * WINDOW;
      return { offset, size };
    });
    this.bytes = bytes;
    this.#words = new Uint32Array(bytes / 4);
    const floats = new Float32Array(this.#words.buffer);
    steps.forEach(({ kernel, arguments: numbers }, step) => {
      if (kernel.kind === 'host') return;
      const start = (this.windows[step] as { offset: number }).offset / 4;
      numbers.forEach((number, i) => {
        this.#writers.push(writerOf(kernel.arguments[i] as DType, number, start + i, this.#words, floats));
      });
    });
  }

  /** The buffer's words for these arguments; the same array every time. */
  write(given: Float64Array): Uint32Array<ArrayBuffer> {
    for (const write of this.#writers) write(given);
    return this.#words;
  }
}

function writerOf(dtype: DType, number: number, at: number, words: Uint32Array, floats: Float32Array) {
  return (given: Float64Array): void => {
    const value = given[number] as number;
    if (dtype === 'int32' || dtype === 'uint32') words[at] = value;
    else if (dtype === 'bool') words[at] = value === 0 ? 0 : 1;
    else floats[at] = value;
  };
}
