export { torchConstructors } from './constructors.ts';
export { readTorch, type TorchReadOptions } from './read-torch.ts';
export type { TorchDType } from './storage.ts';
export { TorchTensor } from './tensor.ts';
