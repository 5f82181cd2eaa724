import type { DeviceTraits } from '../src/wgsl/device-traits.ts';

/** What every graphics card has, and no more: programs printed for it have nothing of subgroups and float16. */
export const plainCard: DeviceTraits = {
  half: false,
  subgroupThreads: 0,
  checksBounds: true,
  workgroupThreads: 256,
  workgroupBytes: 32768,
  workgroupsPerAxis: 65535,
  storageBuffers: 8,
};
