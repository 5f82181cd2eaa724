import type { Backend } from '@evenkeel/tensor';

/**
 * The gpu.js backend is not among our dependencies: who wants it installs it.
 *
 * @throws with what to install.
 */
export async function openGpujs(): Promise<Backend> {
  const { gpujs } = await import('@evenkeel/backend-gpujs').catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`--backend gpujs needs the packages @evenkeel/backend-gpujs and gpu.js (npm install): ${message}`);
  });
  const backend = await gpujs();
  console.log(`computed by ${backend.describe()}`);
  return backend;
}
