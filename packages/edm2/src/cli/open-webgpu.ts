import type { Backend } from '@evenkeel/tensor';

/**
 * A graphics card as a backend. Its package is not among our dependencies: who wants it installs it.
 *
 * @throws when the package is missing, or there is no device, with what to do about it.
 */
export async function openWebgpu(): Promise<Backend & { readonly device: string }> {
  const { webgpu } = await import('@evenkeel/backend-webgpu').catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(
      `--backend webgpu needs the packages @evenkeel/backend-webgpu and webgpu (npm install): ${message}`,
    );
  });
  return webgpu();
}
