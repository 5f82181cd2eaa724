/// <reference types="@webgpu/types" />
// Copies arrays as fast as the device does, by WebGPU's own copy: `gpu-copy.mjs`.
import { provideGpu } from '../gpu/node-gpu.ts';
import { type Implementation, Unsupported } from '../process/implementation.ts';
import { serve } from '../process/serve.ts';
import { cardPace } from '../process/timing.ts';

const device = await provideGpu();
const adapter = (await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' })) as GPUAdapter;
const { maxBufferSize } = adapter.limits;
const gpu = await adapter.requestDevice({ requiredLimits: { maxBufferSize } });

const prepare: Implementation['prepare'] = async (task, [x]) => {
  if (task.kind !== 'copy' || x === undefined) throw new Unsupported('only copies');
  const size = 4 * x.values.length;
  const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const [from, to] = [gpu.createBuffer({ size, usage }), gpu.createBuffer({ size, usage })];
  gpu.queue.writeBuffer(from, 0, x.values as Float32Array<ArrayBuffer>);
  return {
    async run(count) {
      const encoder = gpu.createCommandEncoder();
      for (let i = 0; i < count; i++) encoder.copyBufferToBuffer(from, 0, to, 0, size);
      gpu.queue.submit([encoder.finish()]);
      await gpu.queue.onSubmittedWorkDone();
    },
    async results() {
      const readable = gpu.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      const encoder = gpu.createCommandEncoder();
      encoder.copyBufferToBuffer(to, 0, readable, 0, size);
      gpu.queue.submit([encoder.finish()]);
      await readable.mapAsync(GPUMapMode.READ);
      const values = new Float32Array(readable.getMappedRange().slice(0));
      readable.destroy();
      return [values];
    },
    dispose() {
      from.destroy();
      to.destroy();
    },
  };
};

await serve({ about: { node: process.version, device }, pace: cardPace, prepare });
process.exit();
