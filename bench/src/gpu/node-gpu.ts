import { describeAdapter } from './adapter.ts';

/** Dawn's flags: clocks of the device as exact as they are. */
const flags = ['disable-dawn-features=timestamp_quantization'];

/** Node's WebGPU crashes where its entry object is collected. */
let kept: GPU | undefined;

/** Gives Node the `navigator.gpu` of a browser, where all libraries look for it; says which device it has. */
export async function provideGpu(): Promise<string> {
  const name = 'webgpu';
  const dawn = (await import(name)) as { create(flags: readonly string[]): GPU; globals: object };
  Object.assign(globalThis, dawn.globals);
  kept ??= dawn.create(flags);
  const navigator = { gpu: kept, hardwareConcurrency: 1, userAgent: 'Node' };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  return describeAdapter(kept);
}
