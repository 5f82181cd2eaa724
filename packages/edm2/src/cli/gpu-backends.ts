import type { GpujsBackend, GpujsMode } from '@evenkeel/backend-gpujs';
import type { WebgpuBackend } from '@evenkeel/backend-webgpu';

/**
 * A graphics card as a backend. Its package is not among our dependencies: who wants it installs it.
 *
 * @throws when the package is missing, or there is no device, with what to do about it.
 */
export async function openWebgpu(): Promise<WebgpuBackend> {
  const { webgpu } = await import('@evenkeel/backend-webgpu').catch((error: unknown) =>
    refuse('webgpu', `needs the packages @evenkeel/backend-webgpu and webgpu (npm install): ${messageOf(error)}`),
  );
  return webgpu().catch((error: unknown) => refuse('webgpu', messageOf(error)));
}

/**
 * gpu.js as a backend, in a mode or in the best that works: whoever asks for it does not want another one to compute instead.
 *
 * @throws when a package is missing, or no mode works, with what to do about it.
 */
export async function openGpujs(mode?: GpujsMode): Promise<GpujsBackend> {
  const name = mode === undefined ? 'gpujs' : `gpujs:${mode}`;
  const { gpujs } = await import('@evenkeel/backend-gpujs').catch((error: unknown) =>
    refuse(name, `needs the packages @evenkeel/backend-gpujs and gpu.js (npm install): ${messageOf(error)}`),
  );
  return gpujs({ fallback: false, ...(mode === undefined ? {} : { mode }) }).catch((error: unknown) =>
    refuse(name, error instanceof Error ? messageOf(error.cause ?? error) : String(error)),
  );
}

function refuse(name: string, reason: string): never {
  throw new Error(`--backend ${name}: ${reason}. --backend wasm works everywhere`);
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0]!.replace(/\.$/, '');
}
