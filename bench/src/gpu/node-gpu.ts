import { describeAdapter, kindOf } from './adapter.ts';

/** Dawn's flags: clocks of the device as exact as they are. */
const flags = ['disable-dawn-features=timestamp_quantization'];
/** Filling shared memory with zeros takes devices in software most of the time that they compile. */
const softwareFlags = [...flags, 'enable-dawn-features=disable_workgroup_init'];

/** Node's WebGPU crashes where its entry object is collected. */
const kept: GPU[] = [];

interface Dawn {
  create(flags: readonly string[]): GPU;
  readonly globals: object;
}

async function loadDawn(): Promise<Dawn> {
  const name = 'webgpu';
  return (await import(name)) as Dawn;
}

/** Says which device Node has, for who finds it without help. */
export async function nameGpu(): Promise<string> {
  const gpu = (await loadDawn()).create([]);
  kept.push(gpu);
  return describeAdapter(gpu);
}

/** Gives Node the `navigator.gpu` of a browser, where other libraries look for it; says which device it has. */
export async function provideGpu(): Promise<string> {
  const dawn = await loadDawn();
  Object.assign(globalThis, dawn.globals);
  let gpu = dawn.create(flags);
  kept.push(gpu);
  const device = await describeAdapter(gpu);
  if (kindOf(device) === 'software') {
    gpu = dawn.create(softwareFlags);
    kept.push(gpu);
  }
  const navigator = { gpu, hardwareConcurrency: 1, userAgent: 'Node' };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  return device;
}
