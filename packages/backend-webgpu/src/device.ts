/// <reference types="@webgpu/types" />
import type { Settings } from './options.ts';

/** A device with what is known of it. */
export interface Device {
  readonly device: GPUDevice;
  /** `nvidia h100`, `google swiftshader`: for people. */
  readonly description: string;
  /** Whether the backend destroys it in the end. */
  readonly isOwn: boolean;
  /** Whether it is no card, but the processor in its place. */
  readonly isSoftware: boolean;
  /** Whether the driver keeps every access inside its array; where it does not, programs do. */
  readonly checksBounds: boolean;
  /** What of WGSL is known here beside the first edition, as far as that is known. */
  readonly languageFeatures: WGSLLanguageFeatures | undefined;
}

/** Features that are used where a card has them. */
const features: readonly GPUFeatureName[] = ['shader-f16', 'timestamp-query', 'subgroups'];
const limits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
] as const;

/**
 * A device of this machine.
 *
 * @throws when there is none, with what to do about it.
 */
export async function openDevice({ powerPreference, device, flags }: Settings): Promise<Device> {
  if (device !== undefined) {
    const { wgslLanguageFeatures: languageFeatures } = pageGpu() ?? {};
    return {
      device: device as GPUDevice,
      description: 'a device of the program',
      isOwn: false,
      isSoftware: isSoftware(nameOf((device as GPUDevice).adapterInfo)),
      checksBounds: true,
      languageFeatures,
    };
  }
  const { gpu, checksBounds } = await findGpu(flags);
  const adapter = await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  if (!adapter) throw new Error(`webgpu: no graphics device was found. ${adviceHere()}`);
  const requiredLimits = Object.fromEntries(limits.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures = features.filter((name) => adapter.features.has(name));
  const opened = await adapter.requestDevice({ label: 'evenkeel', requiredFeatures, requiredLimits });
  const description = nameOf(adapter.info);
  return {
    device: opened,
    description,
    isOwn: true,
    isSoftware: isSoftware(description),
    checksBounds,
    languageFeatures: gpu.wgslLanguageFeatures,
  };
}

function nameOf(info: GPUAdapterInfo | undefined): string {
  const words = [info?.vendor, info?.architecture, info?.description];
  return words.filter((word) => word !== undefined && word !== '').join(' ') || 'unknown device';
}

function isSoftware(name: string): boolean {
  return /swiftshader|llvmpipe|software|basic render/i.test(name);
}

/** Node's WebGPU crashes where its entry object is collected: one is made for each list of flags, and kept. */
const nodeGpus = new Map<string, GPU>();

/**
 * Dawn need not check again what programs see to: they keep inside their arrays, and write what they share before they
 * read it. Products of large matrices are a third faster so. And its clock need not be as coarse as a page's.
 */
const usualFlags = [
  'enable-dawn-features=disable_robustness,disable_workgroup_init',
  'disable-dawn-features=timestamp_quantization',
];

function pageGpu(): GPU | undefined {
  return (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
}

async function findGpu(given: readonly string[]): Promise<{ gpu: GPU; checksBounds: boolean }> {
  const found = pageGpu();
  if (found) return { gpu: found, checksBounds: true };
  if (!isNode()) throw new Error(`webgpu: this browser has no WebGPU here. ${adviceHere()}`);
  const flags = given.some((flag) => flag.includes('dawn-features=')) ? given : [...given, ...usualFlags];
  const key = flags.join(' ');
  const gpu = nodeGpus.get(key) ?? (await createNodeGpu(flags));
  nodeGpus.set(key, gpu);
  return { gpu, checksBounds: !key.includes('disable_robustness') };
}

async function createNodeGpu(flags: readonly string[]): Promise<GPU> {
  // A bundler for browsers must not look for it.
  const name = 'webgpu';
  let library: { create(options: readonly string[]): GPU };
  try {
    library = (await import(/* @vite-ignore */ name)) as typeof library;
  } catch (error) {
    throw new Error(
      `webgpu: in Node it needs the package 'webgpu' (npm install webgpu): ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  return library.create(flags);
}

function isNode(): boolean {
  return globalThis.process?.versions?.node !== undefined;
}

function adviceHere(): string {
  if (isNode()) {
    return 'In Node it takes a driver for Vulkan, Metal or Direct3D 12; on Linux without a card, software such as SwiftShader, named in VK_ICD_FILENAMES';
  }
  return 'It takes a recent browser, and a page served from localhost or by https';
}
