import { describeAdapter } from '../gpu/adapter.ts';

/** What a page is told of the graphics card. */
export async function deviceOf(kind: 'webgpu' | 'webgl'): Promise<string> {
  if (kind === 'webgpu') {
    const { gpu } = navigator;
    if (!gpu) throw new Error('this browser has no WebGPU here');
    return describeAdapter(gpu);
  }
  const gl = document.createElement('canvas').getContext('webgl2');
  const names = gl?.getExtension('WEBGL_debug_renderer_info');
  return names ? String(gl?.getParameter(names.UNMASKED_RENDERER_WEBGL)) : 'unknown device';
}
