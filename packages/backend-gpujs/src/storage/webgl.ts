import type { GlInternals, GpuKernel } from '../library.ts';
import { type GlContext, gl } from './gl-context.ts';
import { passed, readTexture } from './read-texture.ts';
import type { DeviceArray, Form, Storage } from './storage.ts';

/** A texture as gpu.js's kernels take it. */
export class TextureArgument implements DeviceArray {
  readonly type: string;
  readonly length: number;
  readonly form: Form;
  readonly texture: object;
  /** Of the texture. */
  readonly size: readonly [number, number];
  readonly dimensions: readonly number[];
  readonly output: readonly number[];
  readonly context: GlContext;

  constructor(length: number, form: Form, texture: object, context: GlContext) {
    this.type = form === 'packed' ? 'MemoryOptimizedNumberTexture' : 'ArrayTexture(1)';
    this.length = length;
    this.form = form;
    this.texture = texture;
    this.size = sizeOf(length, form);
    this.dimensions = [length, 1, 1];
    this.output = [length];
    this.context = context;
  }

  get argument(): this {
    return this;
  }
}

/** Where a kernel's result goes, in the place of the texture that gpu.js would make. */
class Target {
  texture: object;

  constructor(texture: object) {
    this.texture = texture;
  }

  /** gpu.js asks whether it must make another texture. */
  beforeMutate(): boolean {
    return false;
  }

  /** gpu.js deletes it with the kernel: the texture is not the kernel's. */
  delete(): void {}
}

const lost = 'the WebGL context was lost. Make a new backend by gpujs(), and go on from values of the host';

/** Textures of a WebGL context, as gpu.js lays numbers out in them. */
export class WebglStorage implements Storage {
  readonly limit: { length: number; what: string };
  readonly #context: GlContext;
  /** WebGL 1 has four numbers a texel, of which a plain array uses one. */
  readonly #isFirst: boolean;

  constructor(context: GlContext) {
    this.#context = context;
    this.#isFirst = context.texStorage2D === undefined;
    const side = context.getParameter(gl.MAX_TEXTURE_SIZE) as number;
    this.limit = { length: side * side, what: `textures of ${side} x ${side}, the largest here` };
  }

  create(length: number, form: Form): TextureArgument {
    this.#check();
    const context = this.#context;
    const texture = context.createTexture();
    if (!texture) throw new Error(lost);
    const [width, height] = sizeOf(length, form);
    // As gpu.js does, on a unit that no kernel uses.
    context.activeTexture(gl.TEXTURE15);
    context.bindTexture(gl.TEXTURE_2D, texture);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T])
      context.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      context.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    if (this.#isFirst) {
      context.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, width, height, 0, gl.RGBA, gl.FLOAT, null);
    } else {
      context.texStorage2D?.(gl.TEXTURE_2D, 1, form === 'packed' ? gl.RGBA32F : gl.R32F, width, height);
    }
    if (context.getError() === gl.OUT_OF_MEMORY) {
      context.deleteTexture(texture);
      throw new Error(`no memory for a texture of ${width} x ${height}`);
    }
    return new TextureArgument(length, form, texture, context);
  }

  destroy({ texture }: TextureArgument): void {
    this.#context.deleteTexture(texture);
  }

  write({ texture, size: [width, height], form }: TextureArgument, values: Float32Array): void {
    this.#check();
    const context = this.#context;
    const isSingle = form === 'plain' && !this.#isFirst;
    const texels = new Float32Array(width * height * (isSingle ? 1 : 4));
    if (isSingle || form === 'packed') texels.set(values);
    else for (let i = 0; i < values.length; i++) texels[4 * i] = values[i] as number;
    context.activeTexture(gl.TEXTURE15);
    context.bindTexture(gl.TEXTURE_2D, texture);
    context.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, 0);
    const format = isSingle ? gl.RED : gl.RGBA;
    context.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, format, gl.FLOAT, texels);
  }

  async read(array: TextureArgument): Promise<Float32Array> {
    this.#check();
    const { form, length, texture, size } = array;
    const texels = await readTexture(this.#context, texture, size);
    this.#check();
    if (form === 'packed') return texels.subarray(0, length);
    const values = new Float32Array(length);
    for (let i = 0; i < length; i++) values[i] = texels[4 * i] as number;
    return values;
  }

  run(kernel: GpuKernel, given: readonly unknown[], target: TextureArgument): void {
    this.#check();
    const internals = kernel.kernel as unknown as GlInternals;
    if (internals.texture instanceof Target) internals.texture.texture = target.texture;
    else internals.texture = new Target(target.texture);
    internals._textureSwitched = true;
    kernel(...given);
  }

  creationErrors(): readonly [] {
    return [];
  }

  discard(kernel: GpuKernel): void {
    kernel.destroy();
  }

  /** Errors are told at once, or lose the context. */
  watch(): () => Promise<string | undefined> {
    return async () => (this.#context.isContextLost() ? lost : undefined);
  }

  async finished(): Promise<void> {
    this.#check();
    await passed(this.#context);
    this.#check();
  }

  destroyDevice(): void {}

  #check(): void {
    if (this.#context.isContextLost()) throw new Error(lost);
  }
}

/** As gpu.js computes it: kernels have sizes of textures in their source. */
function sizeOf(length: number, form: Form): [number, number] {
  const texels = form === 'packed' ? Math.ceil(length / 4) : length;
  let high = Math.ceil(Math.sqrt(texels));
  let low = Math.floor(Math.sqrt(texels));
  while (high * low < texels) {
    high--;
    low = Math.ceil(texels / high);
  }
  return [low, Math.ceil(texels / low)];
}
