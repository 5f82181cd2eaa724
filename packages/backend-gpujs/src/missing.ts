import { provideWebgpu } from './node-webgpu.ts';
import type { GpujsMode } from './options.ts';

/**
 * What a mode lacks here, for people: gpu.js says too little. None is missing as far as can be seen before it runs.
 *
 * @param isSupported what gpu.js finds of its own modes.
 */
export async function missingFor(
  mode: GpujsMode,
  isSupported: (mode: GpujsMode) => boolean,
): Promise<string | undefined> {
  if (mode === 'webgpu') return missingForWebgpu();
  if (isSupported(mode)) return undefined;
  if (mode === 'headlessgl') return missingForHeadlessGl();
  if (mode !== 'webgl2' && mode !== 'webgl') return 'not here';
  return isNode() ? 'only browsers have WebGL' : 'this browser has no WebGL here that draws into floats';
}

async function missingForWebgpu(): Promise<string | undefined> {
  if (isNode()) await provideWebgpu();
  const { gpu } = (globalThis as { navigator?: { gpu?: { requestAdapter(): Promise<unknown> } } }).navigator ?? {};
  if (!gpu)
    return 'this browser has no WebGPU here. It takes a recent one, and a page served from localhost or by https';
  if (await gpu.requestAdapter()) return undefined;
  return isNode()
    ? 'no graphics device was found. In Node it takes a driver for Vulkan, Metal or Direct3D 12; on Linux without a card, software such as SwiftShader, named in VK_ICD_FILENAMES'
    : 'the browser found no graphics device';
}

async function missingForHeadlessGl(): Promise<string> {
  if (!isNode()) return 'only Node has it';
  // A bundler for browsers must not look for it.
  const name = 'gl';
  const library = (await import(/* @vite-ignore */ name).catch(() => undefined)) as { default?: unknown } | undefined;
  if (typeof library?.default !== 'function') return 'it needs the package gl, built natively (npm install gl)';
  return 'the package gl makes no context here. On Linux it takes an X display, such as xvfb-run gives';
}

function isNode(): boolean {
  return globalThis.process?.versions?.node !== undefined;
}
