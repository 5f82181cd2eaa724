import type { Capabilities } from '@evenkeel/tensor';
import type { Device } from './device.ts';
import type { DeviceTraits } from './wgsl/device-traits.ts';

/** One binding is kept free for memory to work in. */
const SCRATCH_BINDINGS = 1;

export function traitsOf({ device, isSoftware, checksBounds, languageFeatures }: Device): DeviceTraits {
  const { limits, features } = device;
  const hasSubgroups = features.has('subgroups') && languageFeatures?.has('subgroup_id') === true;
  return {
    half: features.has('shader-f16'),
    subgroupThreads: hasSubgroups ? (device.adapterInfo?.subgroupMinSize ?? 4) : 0,
    checksBounds,
    compilesSlowly: isSoftware,
    workgroupThreads: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX, 256),
    workgroupBytes: limits.maxComputeWorkgroupStorageSize,
    workgroupsPerAxis: limits.maxComputeWorkgroupsPerDimension,
    storageBuffers: limits.maxStorageBuffersPerShaderStage,
  };
}

export function capabilitiesOf({ limits }: GPUDevice, memoryBytes: number): Capabilities {
  return {
    dtypes: ['float32', 'float16', 'int32', 'uint32', 'bool'],
    layouts: {},
    buffersPerKernel: limits.maxStorageBuffersPerShaderStage - SCRATCH_BINDINGS,
    maxBufferBytes: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize, 2 ** 31),
    memoryBytes,
    elementBytes: { bool: 4, float16: 2 },
    threads: 1,
    inPlace: true,
  };
}
