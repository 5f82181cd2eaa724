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
