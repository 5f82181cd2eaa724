import { existsSync } from 'node:fs';
import { type WebgpuBackend, type WebgpuOptions, webgpu } from '../src/index.ts';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** A backend on this machine's card, or on the software that Debian's Chromium brings. */
export async function openBackend(options: WebgpuOptions = {}): Promise<WebgpuBackend> {
  useSoftware();
  return webgpu(options);
}

/** Filling shared memory with zeros takes the software most of the time that it compiles. */
const flags = ['enable-dawn-features=disable_workgroup_init'];
/** Kept: where it is collected, Node crashes. */
let instance: GPU | undefined;

/** A device of the test's own, with the limits that every device has. */
export async function openDevice(): Promise<GPUDevice> {
  useSoftware();
  const { create } = (await import('webgpu')) as unknown as { create(flags: readonly string[]): GPU };
  instance ??= create(flags);
  const adapter = await instance.requestAdapter();
  if (!adapter) throw new Error('no graphics device was found');
  const requiredFeatures = (['timestamp-query'] as const).filter((name) => adapter.features.has(name));
  return adapter.requestDevice({ requiredFeatures });
}

/** A backend with the programs of a card, whatever it runs on: its device does not say that it is software. */
export async function openAsCard(): Promise<WebgpuBackend> {
  const device = await openDevice();
  Object.defineProperty(device, 'adapterInfo', { value: undefined });
  const backend = await webgpu({ device });
  const dispose = backend.dispose.bind(backend);
  backend.dispose = async () => {
    await dispose();
    device.destroy();
  };
  return backend;
}

/** How to open backends that differ in what they print: for what the device is, and for a card. */
export const openings = { 'this device': () => openBackend(), 'a card': openAsCard };

function useSoftware(): void {
  if (process.env.VK_ICD_FILENAMES === undefined && existsSync(swiftShader)) process.env.VK_ICD_FILENAMES = swiftShader;
}

async function probe(): Promise<string | undefined> {
  try {
    await (await openBackend()).dispose();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Why no test can run here, if so. Where CI is set there is no excuse: tests run and fail. */
const reason = await probe();
export const noDevice: string | undefined = process.env.CI ? undefined : reason;
if (noDevice) {
  console.warn(
    `NOT TESTED: the tests of @evenkeel/backend-webgpu are left out. ${noDevice}. Debian: apt-get install -y --no-install-recommends chromium libvulkan1`,
  );
}
