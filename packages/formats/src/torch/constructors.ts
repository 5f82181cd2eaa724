import type { PickleConstructor } from '../pickle/index.ts';
import { readLegacy } from './legacy.ts';
import { TorchStorage } from './storage.ts';
import { rebuildParameter, rebuildTensor } from './tensor.ts';

/**
 * What PyTorch and NumPy put into pickles, as `construct` of {@link readPickle}: tensors become {@link TorchTensor}, arrays
 * of NumPy and devices stay what they were to be made of. Use it for one pickle.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 *
 * const readModel = async (file: string) =>
 *   readPickle(await readFile(file), { file, construct: { ...torchConstructors(), 'my_code.Model': 'object' } });
 * ```
 */
export function torchConstructors(): Record<string, PickleConstructor> {
  // A pickle can load the same bytes many times: they are read once.
  const loaded = new WeakMap<Uint8Array, TorchStorage>();
  const load: PickleConstructor = ([bytes]) => {
    if (!(bytes instanceof Uint8Array)) throw new Error('a storage is loaded from what are no bytes');
    const storage = loaded.get(bytes) ?? readLegacy(bytes, 'storage', {});
    if (!(storage instanceof TorchStorage)) throw new Error('what is loaded as a storage is none');
    loaded.set(bytes, storage);
    return storage;
  };
  return {
    'torch._utils._rebuild_tensor_v2': rebuildTensor,
    'torch._utils._rebuild_parameter': rebuildParameter,
    'torch.storage._load_from_bytes': load,
    'torch.Size': ([sizes = []]) => sizes,
    'torch.device': 'object',
    'numpy.ndarray': 'object',
    'numpy.dtype': 'object',
    'numpy.core.multiarray._reconstruct': 'object',
    'numpy.core.multiarray.scalar': 'object',
    'numpy._core.multiarray._reconstruct': 'object',
    'numpy._core.multiarray.scalar': 'object',
  };
}
