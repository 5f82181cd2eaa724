import { type Gpu, type GpuLibrary, isSupported, loadLibrary, messageOf, modeOf } from './library.ts';
import { missingFor } from './missing.ts';
import type { GpujsMode } from './options.ts';
import type { GlContext } from './storage/gl-context.ts';
import { ProcessorStorage } from './storage/processor.ts';
import type { Storage } from './storage/storage.ts';
import { WebglStorage } from './storage/webgl.ts';
import { WebgpuStorage } from './storage/webgpu.ts';
import type { WebgpuContext } from './storage/webgpu-device.ts';

/** gpu.js in a mode that was seen to work. */
export interface OpenedMode {
  readonly library: GpuLibrary;
  readonly gpu: Gpu;
  readonly mode: GpujsMode;
  readonly storage: Storage;
}

/** Best first. The processor is left to backends that are made for it. */
const graphics: readonly GpujsMode[] = ['webgpu', 'webgl2', 'webgl', 'headlessgl'];

/**
 * The named mode, or the best that works.
 *
 * @throws where none works, with the reason for each.
 */
export async function openMode(wanted: GpujsMode | undefined): Promise<OpenedMode> {
  const library = await loadLibrary();
  const reasons: string[] = [];
  for (const mode of wanted === undefined ? graphics : [wanted]) {
    try {
      return { library, mode, ...(await tryMode(library, mode)) };
    } catch (error) {
      reasons.push(`${mode}: ${messageOf(error)}`);
    }
  }
  throw new Error(reasons.join('; '));
}

/** Computes something, and asks who did. */
async function tryMode(library: GpuLibrary, mode: GpujsMode): Promise<{ gpu: Gpu; storage: Storage }> {
  const missing = await missingFor(mode, (asked) => isSupported(library, asked));
  if (missing !== undefined) throw new Error(missing);
  const gpu = new library.GPU({ mode });
  const ran = modeOf(library, gpu.Kernel);
  if (ran !== mode) {
    await gpu.destroy();
    throw new Error(`gpu.js would run ${ran} instead`);
  }
  const settings = { precision: 'single', pipeline: true, immutable: true, loopMaxIterations: 1 } as const;
  const kernel = gpu.createKernel('function kernel(x0) { return this.thread.x * x0; }', {
    ...settings,
    output: [3],
    argumentTypes: { x0: 'Float' },
  });
  const result = (await kernel(0.5)) as { toArray?(): Promise<Float32Array>; delete?(): void };
  const values = result instanceof Float32Array ? result : await result.toArray?.();
  const by = modeOf(library, kernel.kernel.constructor);
  const { context } = kernel.kernel;
  result.delete?.();
  if (by !== mode) throw new Error(`gpu.js ran ${by} instead`);
  if (values?.[2] !== 1) throw new Error(`it computes wrong values: 2 x 0.5 gave ${values?.[2]}`);
  const storage = storageOf(mode, context);
  await checkInternals(gpu, mode, storage);
  return { gpu, storage };
}

function storageOf(mode: GpujsMode, context: unknown): Storage {
  if (mode === 'webasm' || mode === 'cpu') return new ProcessorStorage();
  return mode === 'webgpu' ? new WebgpuStorage(context as WebgpuContext) : new WebglStorage(context as GlContext);
}

/**
 * Results go where we say, four a thread where we like, by ways that gpu.js has not promised.
 *
 * @throws where this gpu.js goes other ways.
 */
async function checkInternals(gpu: Gpu, mode: GpujsMode, storage: Storage): Promise<void> {
  if (mode === 'cpu') return;
  const settings = { precision: 'single', pipeline: true, immutable: false, loopMaxIterations: 1 } as const;
  const four = gpu.createKernel(
    'function kernel(x0) { const t = this.thread.x * x0; return [t, t + 1, t + 2, t + 3]; }',
    {
      ...settings,
      output: [2],
      argumentTypes: { x0: 'Float' },
    },
  );
  const packed = storage.create(8, 'packed');
  await storage.run(four, [4], packed);
  const one = gpu.createKernel('function kernel(a0) { return a0[7 - this.thread.x]; }', {
    ...settings,
    output: [8],
    argumentTypes: { a0: packed.type },
  });
  const plain = storage.create(8, 'plain');
  await storage.run(one, [packed.argument], plain);
  const values = await storage.read(plain);
  for (const array of [packed, plain]) storage.destroy(array);
  for (const kernel of [four, one]) storage.discard(kernel);
  if (values.join() === '7,6,5,4,3,2,1,0') return;
  throw new Error(`this gpu.js works differently inside (${values.join()}). Install gpu.js 2.24.1`);
}
