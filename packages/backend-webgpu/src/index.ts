export { type WebgpuBackend, type WebgpuStatistics, webgpu } from './backend.ts';
export type { WebgpuOptions } from './options.ts';
