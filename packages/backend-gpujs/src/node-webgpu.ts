import { messageOf } from './library.ts';

/** Node's WebGPU crashes where its entry object is collected. */
let nodeGpu: object | undefined;

/**
 * Gives Node a `navigator.gpu`, where gpu.js looks for WebGPU; elsewhere, and where there is one, does nothing.
 *
 * @throws where the package `webgpu` cannot be loaded.
 */
export async function provideWebgpu(): Promise<void> {
  const scope = globalThis as { navigator?: { gpu?: object }; process?: { versions?: { node?: string } } };
  if (scope.navigator?.gpu || scope.process?.versions?.node === undefined) return;
  if (!nodeGpu) {
    // A bundler for browsers must not look for it.
    const name = 'webgpu';
    const library = (await import(/* @vite-ignore */ name).catch((error: unknown) => {
      throw new Error(`in Node it needs the package webgpu (npm install webgpu): ${messageOf(error)}`, {
        cause: error,
      });
    })) as { create(options: readonly string[]): object; globals: object };
    Object.assign(globalThis, library.globals);
    nodeGpu = library.create([]);
  }
  const navigator = scope.navigator ?? {};
  Object.defineProperty(navigator, 'gpu', { value: nodeGpu, configurable: true });
  if (!scope.navigator) Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
}
