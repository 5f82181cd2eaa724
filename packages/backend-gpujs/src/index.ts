export { type GpujsBackend, type GpujsStatistics, gpujs } from './backend.ts';
export type { GpujsMode, GpujsOptions } from './options.ts';
