/// <reference types="@webgpu/types" />

/** What the driver calls the device: `nvidia nvidia-h200 NVIDIA: 580.159.04`. */
export async function describeAdapter(gpu: GPU): Promise<string> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('no graphics device was found. Without a card, name a driver in VK_ICD_FILENAMES');
  const { vendor, architecture, device, description } = adapter.info;
  const model = architecture === '' || description === '' ? device : architecture;
  const words = [vendor, model, description].filter((word) => word !== '');
  return [...new Set(words)].join(' ') || 'unknown device';
}

/** What a device really is: graphics cards are played by processors, too. */
export function kindOf(device: string): 'card' | 'software' {
  return /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(device) ? 'software' : 'card';
}

/** Its words in small letters, each once, versions left out: `nvidia-h200`. */
export function fileNameOf(device: string): string {
  const words = device.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return [...new Set(words)].filter((word) => /[a-z]/.test(word)).join('-');
}
