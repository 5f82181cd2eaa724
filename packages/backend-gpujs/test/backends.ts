import { existsSync } from 'node:fs';
import { type GpujsBackend, type GpujsOptions, gpujs } from '../src/index.ts';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** A backend in one mode; WebGPU on this machine's card, or on the software that Debian's Chromium brings. */
export async function openBackend(mode: NonNullable<GpujsOptions['mode']>): Promise<GpujsBackend> {
  if (process.env.VK_ICD_FILENAMES === undefined && existsSync(swiftShader)) process.env.VK_ICD_FILENAMES = swiftShader;
  return gpujs({ mode, fallback: false });
}

async function probe(): Promise<string | undefined> {
  try {
    await (await openBackend('webgpu')).dispose();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Why WebGPU cannot be tested here, if so. Where CI is set there is no excuse: tests run and fail. */
export const noWebgpu: string | undefined = process.env.CI ? undefined : await probe();
if (noWebgpu) {
  console.warn(
    `NOT TESTED: WebGPU in @evenkeel/backend-gpujs. ${noWebgpu}. Debian: apt-get install -y --no-install-recommends chromium libvulkan1`,
  );
}
