import {
  type DeviceHandle,
  type Gpu,
  type GpuLibrary,
  isSupported,
  loadLibrary,
  messageOf,
  modeOf,
} from './library.ts';
import { missingFor } from './missing.ts';
import type { GpujsMode } from './options.ts';

/** gpu.js in a mode that was seen to work. */
export interface OpenedMode {
  readonly library: GpuLibrary;
  readonly gpu: Gpu;
  readonly mode: GpujsMode;
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
      return { library, gpu: await tryMode(library, mode), mode };
    } catch (error) {
      reasons.push(`${mode}: ${messageOf(error)}`);
    }
  }
  throw new Error(reasons.join('; '));
}

/** Computes something, and asks who did. */
async function tryMode(library: GpuLibrary, mode: GpujsMode): Promise<Gpu> {
  const missing = await missingFor(mode, (asked) => isSupported(library, asked));
  if (missing !== undefined) throw new Error(missing);
  const gpu = new library.GPU({ mode });
  const ran = modeOf(library, gpu.Kernel);
  if (ran !== mode) {
    await gpu.destroy();
    throw new Error(`gpu.js would run ${ran} instead`);
  }
  const kernel = gpu.createKernel('function kernel(x0) { return this.thread.x * x0; }', {
    output: [3],
    precision: 'single',
    pipeline: true,
    immutable: true,
    loopMaxIterations: 1,
    argumentTypes: { x0: 'Float' },
  });
  const handle = await kernel(0.5);
  const values = handle instanceof Float32Array ? handle : await handle.toArray();
  const by = modeOf(library, kernel.kernel.constructor);
  if (!(handle instanceof Float32Array)) (handle as DeviceHandle).delete();
  if (by !== mode) throw new Error(`gpu.js ran ${by} instead`);
  if (values[2] !== 1) throw new Error(`it computes wrong values: 2 x 0.5 gave ${values[2]}`);
  return gpu;
}
